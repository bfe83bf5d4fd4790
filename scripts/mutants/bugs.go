package main

// bug is a mistake to plant: what a ledger on raft has been known to get wrong, or would.
type bug struct {
	name  string
	edits []edit
	pkg   string // whose tests must notice
	run   string // the tests, as go test -run takes them
}

// edit replaces text that occurs once in a file of the checkout.
type edit struct{ file, old, new string }

// The planted bugs.
var bugs = []bug{
	{
		name: "a command that was carried out is carried out again when it is sent again",
		edits: []edit{{"fsm/apply.go",
			"if at < uint64(len(n.window)) && n.window[at].Result != nil {\n\t\tretransmitted",
			"if false && n.window[at].Result != nil {\n\t\tretransmitted"}},
		pkg: "./fsm", run: "TestModel",
	},
	{
		name: "a snapshot forgets which commands were carried out",
		edits: []edit{
			{"fsm/session.go", "\t\tif kept.Result != nil {\n\t\t\tr.Results", "\t\tif false && kept.Result != nil {\n\t\t\tr.Results"},
			{"fsm/session.go", "\th.Word(uint64(n.stored))\n", ""}, // or the digest would give it away at once
			{"fsm/record_session.go", "\t\tv.Length(len(r.Results))\n", ""},
		},
		pkg: "./fsm", run: "TestModel|TestDigest",
	},
	{
		name:  "a command is applied twice",
		edits: []edit{{"fsm/apply.go", "\tr := s.apply(call)\n", "\ts.apply(call)\n\tr := s.apply(call)\n"}},
		pkg:   "./cluster", run: "TestCluster_NeverSpendsMoreThanThereIs|TestCluster_HidesATransferOfLeadership",
	},
	{
		name: "the ledger asks the machine for the time",
		edits: []edit{
			{"fsm/apply.go", "\t\"slices\"\n", "\t\"slices\"\n\t\"time\"\n"},
			{"fsm/apply.go", "\t\ts.clock = b.Stamp\n", "\t\ts.clock = max(b.Stamp, time.Now().UnixMilli())\n"},
		},
		pkg: "./fsm", run: "TestModel|TestRefill",
	},
	{
		name:  "a record is written in the order of a map",
		edits: []edit{{"fsm/rootkey.go", "\tslices.Sort(list)\n", "\tslices.Sort(list[:0])\n"}},
		pkg:   "./fsm", run: "TestModel|TestFreeze|TestDigest|TestBootstrap|TestPermissions",
	},
	{
		name: "a leader reads its own ledger without asking whether it still leads",
		edits: []edit{
			{"cluster/propose/read.go", "\tb.Read(deadline, w)\n", "\t_ = deadline\n\tw.Answer(batch.Answer{Index: 0})\n"},
			{"cluster/propose/read.go", "\t\"github.com/creditd/creditd/cluster/fault\"\n",
				"\t\"github.com/creditd/creditd/cluster/batch\"\n\t\"github.com/creditd/creditd/cluster/fault\"\n"}},
		pkg: "./cluster", run: "TestCluster_ADeposedLeaderServesNoStaleRead|TestCluster_AMinorityServesNothingLinearizable",
	},
	{
		name:  "the log is not synced",
		edits: []edit{{"store/log.go", "raftboltdb.Options{Path: path,", "raftboltdb.Options{Path: path, NoSync: true,"}},
		pkg:   "./store", run: "TestPowerLoss",
	},
	{
		name: "a charge is answered before it is committed, when that takes long",
		edits: []edit{
			{"cluster/propose/entry.go", "\tp.err = p.future.Error()\n\tclose(p.done)\n",
				"\tcommitted := make(chan error, 1)\n\tgo func() { committed <- p.future.Error() }()\n\tselect {\n\tcase p.err = <-committed:\n" +
					"\tcase <-time.After(100 * time.Millisecond):\n\t\tp.early = true\n\t}\n\tclose(p.done)\n"},
			{"cluster/propose/entry.go", "\terr    error // valid once done is closed\n", "\terr    error // valid once done is closed\n\tearly  bool\n\tcalls  int\n"},
			{"cluster/propose/entry.go", "done: make(chan struct{})}", "done: make(chan struct{}), calls: len(calls)}"},
			{"cluster/propose/entry.go", "\tif p.err != nil {\n", "\tif p.early {\n\t\tresults := make([]fsm.Result, p.calls)\n\t\tfor i := range results {\n" +
				"\t\t\tresults[i] = &fsm.Verdict{Code: fsm.Valid}\n\t\t}\n\t\treturn results, 1, nil\n\t}\n\tif p.err != nil {\n"},
			{"cluster/propose/entry.go", "\t\"errors\"\n", "\t\"errors\"\n\t\"time\"\n"},
		},
		pkg: "./cluster", run: "TestCluster_ChargesOnceWhenTheLeaderIsCutOff|TestCluster_AMinorityServesNothingLinearizable",
	},
	{
		name: "a snapshot is restored in part",
		edits: []edit{
			{"cluster/replica/load.go", "\t\t\t\tfailed = loader.Add(r)\n", "\t\t\t\tif fsm.KindOf(r) != fsm.SessionKind {\n\t\t\t\t\tfailed = loader.Add(r)\n\t\t\t\t}\n"},
			{"fsm/loader.go", "if got := s.Digest(); got != want {", "if got := s.Digest(); false && got != want {"},
		},
		pkg: "./fsm", run: "TestLoader",
	},
	{
		name:  "checksums are not compared",
		edits: []edit{{"fsm/codec/seal.go", "binary.LittleEndian.Uint32(sum); got != want {", "binary.LittleEndian.Uint32(sum); false && got != want {"}},
		pkg:   "./fsm/codec", run: "TestDecode_RefusesEveryFlippedBit",
	},
	{
		name: "a voter that does not answer is removed",
		edits: []edit{{"cluster/membership/reconcile.go", "\t\t\tif !m.Eligible() || m.Self",
			"\t\t\tif m.Health != gossip.Alive {\n\t\t\t\t_ = r.Raft.RemoveServer(raft.ServerID(m.ID), 0, 0).Error()\n\t\t\t}\n\t\t\tif !m.Eligible() || m.Self"}},
		pkg: "./cluster", run: "TestCluster_KeepsTheVoteOfANodeThatIsDown",
	},
	{
		name: "a command gets a new number when it is sent again",
		edits: []edit{{"cluster/propose/execute.go", "\t\ta = p.try(ctx, call, retransmission)\n",
			"\t\tif retransmission {\n\t\t\tif id, err := p.session.next(ctx); err == nil {\n\t\t\t\tcall.ID = id\n\t\t\t}\n\t\t}\n\t\ta = p.try(ctx, call, retransmission)\n"}},
		pkg: "./cluster", run: "TestCluster_ChargesOnceWhenTheLeader",
	},
	{
		name:  "a balance overflows",
		edits: []edit{{"fsm/credit.go", "if before > math.MaxInt64-b.Value {", "if b.Value > math.MaxInt64-1 && before > 1 {"}},
		pkg:   "./fsm", run: "TestUpdateCredits|TestTotals|TestModel",
	},
	{
		name:  "an endpoint is served that no permission table knows",
		edits: []edit{{"api/endpoints.go", "\t\tverifyKey(),\n", "\t\tverifyKey(),\n\t\tfunc() *endpoint { e := verifyKey(); e.name, e.path = \"keys.checkKey\", \"/v2/keys.checkKey\"; return e }(),\n"}},
		pkg:   "./api", run: "TestPermissions_MatrixIsComplete|TestOpenAPI_ListsEveryRoute",
	},
	{
		name:  "the leader carries out whatever bytes it is sent",
		edits: []edit{{"cluster/rpc/table.go", "\t\tif !ok {\n", "\t\tif ok = true; !ok {\n"}},
		pkg:   "./cluster", run: "TestForward",
	},
}
