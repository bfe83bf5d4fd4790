package fsm_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/creditd/creditd/fsm"
	"github.com/creditd/creditd/fsm/codec"
)

// BenchmarkMemoryPerRecord is what records take in memory in a node without unsaved changes: the heap grows by so many bytes for each.
// The commands are decoded, as they are on a node. dirty is what each takes besides until a snapshot has it. collected is the CPU time that a
// collection spends on each.
func BenchmarkMemoryPerRecord(b *testing.B) {
	const records, each = 500_000, 50
	for name, command := range map[string]func(first int) fsm.Call{
		"key with a balance": func(i int) fsm.Call {
			return fsm.Call{Command: &fsm.CreateKey{
				ID: benchKeyID(i + 1), Hash: benchHash(i + 1), Start: "sk_3fTq", APIID: "api_1", Enabled: true, Expires: fsm.Never, Credits: credits(1),
			}}
		},
		"key of an identity": func(i int) fsm.Call {
			return fsm.Call{Command: &fsm.CreateKey{
				ID: benchKeyID(i + 1), Hash: benchHash(i + 1), Start: "sk_3fTq", APIID: "api_1", Enabled: true, Expires: fsm.Never,
				ExternalID: fmt.Sprintf("customer-%06d", i), IdentityID: fmt.Sprintf("id_%021d", i),
			}}
		},
		"migrated key": func(i int) fsm.Call {
			c := &fsm.MigrateKeys{MigrationID: "mig", APIID: "api_1"}
			for n := range each {
				c.Keys = append(c.Keys, fsm.MigratedKey{ID: benchKeyID(i + n + 1), Hash: benchHash(i + n + 1), Form: fsm.SHA256, Expires: fsm.Never, Enabled: true})
			}
			return fsm.Call{Command: c}
		},
		"window": func(i int) fsm.Call {
			c := &fsm.ConsumeRatelimits{}
			for n := range each {
				c.Requests = append(c.Requests, fsm.RatelimitRequest{
					Namespace: "n", NamespaceID: "rlns_1", Identifier: fmt.Sprintf("i%019d", i+n), Limit: 10, Duration: 2_592_000_000, Cost: 1,
				})
			}
			return fsm.Call{Command: c}
		},
		"outcome": func(i int) fsm.Call {
			h := benchHash(i)
			return fsm.Call{Command: &fsm.VerifyKey{Hash: benchHash(0), Cost: 1}, Idempotency: &fsm.Idempotency{
				Key: fsm.ShortHash(h[:16]), Fingerprint: fsm.ShortHash(h[:16]),
			}}
		},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				s := largeLedger(b, 1)
				s.Apply(fsm.Batch{Stamp: benchStart, Calls: []fsm.Call{{Actor: root, Command: &fsm.CreateMigration{ID: "mig", Algorithm: fsm.SHA256}}}})
				before := heap()
				for made := 0; made < records; {
					call := command(made)
					call.Actor = root
					switch call.Command.(type) {
					case *fsm.MigrateKeys, *fsm.ConsumeRatelimits:
						made += each
					default:
						made++
					}
					batch, err := codec.DecodeBatch(codec.AppendBatch(nil, fsm.Batch{
						Stamp: benchStart, IdempotencyMaxKeys: 10 * records, Calls: []fsm.Call{call},
					}))
					require.NoError(b, err)
					require.Zero(b, code(s.Apply(batch)[0]))
				}
				dirty := heap()
				f := s.Freeze()
				require.GreaterOrEqual(b, f.Len, records)
				for !f.Done() {
					f.Next(10_000, nil)
				}
				f.Release(true)
				f = nil
				clean := heap()
				b.ReportMetric(float64(clean-before)/records, "bytes/record")
				b.ReportMetric(float64(dirty-clean)/records, "dirty-bytes/record")
				const times = 10
				begun := cpuTime(b)
				for range times {
					runtime.GC()
				}
				b.ReportMetric(float64(cpuTime(b)-begun)/times/records, "collected-ns/record")
				runtime.KeepAlive(s)
			}
		})
	}
}
