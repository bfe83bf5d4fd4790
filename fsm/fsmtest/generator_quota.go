package fsmtest

import "github.com/creditd/creditd/fsm"

// quotas gives a workspace quotas near to what it has, for a while: most commands must have room.
func (g *Generator) quotas() fsm.Command {
	c := &fsm.UpdateWorkspace{WorkspaceID: pick(g, "ws_1", "ws_1", "ws_2", "ws_3", "ws_none"), KeepEnabled: g.chance(95), Enabled: true}
	for kind := range c.Quotas {
		switch {
		case g.chance(60):
			c.Quotas[kind] = fsm.Clear[int64]()
		case g.chance(30):
			c.Quotas[kind] = fsm.Set(pick[int64](g, 0, 1, 3, 6, 12, 30, 80, 200))
		}
	}
	if g.chance(3) {
		c.Quotas[g.rng.IntN(len(c.Quotas))] = fsm.Set[int64](-1)
	}
	c.Quotas[fsm.WindowsQuota] = fsm.Field[int64]{} // it is decided before the log, so Apply does not know it
	if requests := &c.Quotas[fsm.RequestsQuota]; requests.Value == 0 && g.chance(90) {
		*requests = fsm.Clear[int64]()
	}
	return c
}
