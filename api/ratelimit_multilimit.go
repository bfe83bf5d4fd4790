package api

type multiLimitRequest []limitRequest

func (multiLimitRequest) SchemaTag() string { return `schema:"minItems=1,maxItems=100"` }

type multiLimitData struct {
	Passed bool              `json:"passed"`
	Limits []multiLimitEntry `json:"limits"`
}

type multiLimitEntry struct {
	Namespace  limitText `json:"namespace"`
	Identifier limitText `json:"identifier"`
	Limit      int64     `json:"limit"`
	Remaining  int64     `json:"remaining"`
	Reset      int64     `json:"reset"`
	Passed     bool      `json:"passed"`
	OverrideID string    `json:"overrideId,omitempty"`
}

// multiLimit serves ratelimit.multiLimit, docs/contract.md 2.6.
func multiLimit(c *call, req multiLimitRequest) (any, error) {
	limited, err := c.limit(req)
	if err != nil {
		return nil, err
	}
	data := multiLimitData{Passed: limited.Passed, Limits: make([]multiLimitEntry, len(req))}
	for i, r := range limited.Requests {
		data.Limits[i] = multiLimitEntry{
			req[i].Namespace, req[i].Identifier, r.Limit, r.Remaining, r.Reset, r.Passed, r.OverrideID,
		}
	}
	return data, nil
}
