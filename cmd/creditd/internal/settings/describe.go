package settings

// Setting describes one setting of a command: what a reference shows of it and, once Resolve has run, what it holds.
type Setting struct {
	Name, Group, Argument, Usage string
	Env                          string // the environment variable
	Default                      string // empty: none
	Many                         bool   // it may hold several values
	Secret                       bool   // its value must not be shown

	Values []string // as their source gave them; nil: the default holds
	Origin Origin
	Source string // where Values come from, for a reader
}

// Settings returns the settings of the command in the order of its help text, without --config and former names.
func (s *Set) Settings() []Setting {
	all := make([]Setting, 0, len(s.list))
	for _, o := range s.list {
		if o.name == configName || o.assign == nil {
			continue
		}
		all = append(all, Setting{
			Name: o.name, Group: o.group, Argument: o.argument, Usage: o.usage, Env: o.env, Default: o.initial, Many: o.many, Secret: o.refusal != "",
			Values: o.values, Origin: o.origin, Source: o.source,
		})
	}
	return all
}
