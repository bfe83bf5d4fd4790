package batch

import (
	"container/heap"

	"github.com/creditd/creditd/fsm"
)

// queue holds the requests that wait to be proposed. What fits one small entry is taken in order of arrival, and nobody asks whose it is. Only
// what is more goes into a lane of its workspace: see DESIGN.md.
type queue struct {
	arrived []queued // in order of arrival, without a lane
	reads   []queued // pure reads behind which there are lanes: they cost nothing and need only the next entry
	lanes   map[string]*lane
	waiting laneHeap // the lanes that hold requests
	now     int      // virtual time: the finish of what was taken last, and a part of an entry for each entry since

	count, bytes int // of all requests
	work         int // of those that have just arrived
}

// lane holds the requests of one workspace, in order of arrival.
type lane struct {
	requests []queued
	// finish is the virtual time at which the first request will have been served; without requests, at which the last one was.
	finish int
	// counted and bytes are of all requests of the workspace but those that arrived while the queue was short.
	counted, bytes int
}

const (
	// sharedWork is the part of an entry's work that one entry has while several workspaces wait, so that a small request waits for little.
	sharedWork = 4
	// entryWork is the part of an entry's work that virtual time advances with each entry: one takes time, however little is in it.
	entryWork = 4
	// shortQueue is the part of the bounds up to which requests are not counted by workspace.
	shortQueue = 8
	// forgetLanes is how many empty lanes are kept.
	forgetLanes = 64
)

// short reports whether the queue has so much room that nobody asks whose a request of some bytes is.
func (q *queue) short(conf *Config, size int) bool {
	return q.count < conf.MaxQueued/shortQueue && q.bytes+size <= conf.MaxQueueBytes/shortQueue
}

// admits reports whether a request may wait: a workspace has half of what the others leave.
func (q *queue) admits(conf *Config, r *queued) bool {
	if q.count >= conf.MaxQueued || q.bytes+r.size > conf.MaxQueueBytes {
		return false
	}
	if !r.sorted {
		return true
	}
	mine := q.lane(r.workspace)
	return 2*(mine.counted+1) <= conf.MaxQueued-(q.count-mine.counted) && 2*(mine.bytes+r.size) <= conf.MaxQueueBytes-(q.bytes-mine.bytes)
}

func (q *queue) add(r queued) {
	if r.sorted {
		l := q.lane(r.workspace)
		l.counted++
		l.bytes += r.size
	}
	q.arrived = append(q.arrived, r)
	q.count++
	q.bytes += r.size
	q.work += r.work
}

// fits reports whether all that waits is one small entry.
func (q *queue) fits(conf *Config) bool {
	return len(q.waiting) == 0 && q.work <= conf.MaxWork/sharedWork && q.count <= conf.MaxCalls && q.bytes <= conf.MaxBytes
}

// takeArrived takes the requests that have no lane. They still count.
func (q *queue) takeArrived() []queued {
	taken := q.arrived
	q.arrived, q.work = nil, 0
	return taken
}

// takeAll takes everything.
func (q *queue) takeAll() []queued {
	taken := append(q.takeArrived(), q.reads...)
	for _, l := range q.waiting {
		taken = append(taken, l.requests...)
	}
	*q = queue{}
	return taken
}

// sort puts requests that arrived into the lanes of their workspaces. Order within a workspace stays.
func (q *queue) sort(arrived []queued) {
	for i := range arrived {
		r := &arrived[i]
		if r.call.Command == nil {
			q.reads = append(q.reads, *r)
			continue
		}
		l := q.lane(r.workspace)
		if !r.sorted {
			r.sorted = true
			l.counted++
			l.bytes += r.size
		}
		l.requests = append(l.requests, *r)
		if len(l.requests) == 1 {
			l.finish = max(l.finish, q.now) + r.cost()
			heap.Push(&q.waiting, l)
		}
	}
}

func (q *queue) lane(workspace string) *lane {
	l := q.lanes[workspace]
	if l == nil {
		l = &lane{}
		if q.lanes == nil {
			q.lanes = map[string]*lane{}
		}
		q.lanes[workspace] = l
	}
	return l
}

// compose takes what becomes one entry from the lanes: always the request that has the earliest finish.
func (q *queue) compose(conf *Config) []queued {
	taken := q.reads
	q.reads = nil
	q.count -= len(taken)
	most := conf.MaxWork
	if len(q.waiting) > 1 {
		most /= sharedWork
	}
	calls, size, work := 0, 0, 0
	for len(q.waiting) > 0 {
		l := q.waiting[0]
		r := l.requests[0]
		if calls > 0 && (calls == conf.MaxCalls || size+r.size > conf.MaxBytes || work+r.work > most) {
			break
		}
		calls, size, work = calls+1, size+r.size, work+r.work
		taken = append(taken, r)
		q.pass(l)
	}
	q.now += conf.MaxWork / entryWork
	q.forget()
	return taken
}

// pass goes on behind the first request of the first lane.
func (q *queue) pass(l *lane) {
	r := &l.requests[0]
	q.now = max(q.now, l.finish)
	q.count--
	q.bytes -= r.size
	l.counted--
	l.bytes -= r.size
	*r = queued{}
	if l.requests = l.requests[1:]; len(l.requests) == 0 {
		heap.Pop(&q.waiting)
		return
	}
	l.finish += l.requests[0].cost()
	heap.Fix(&q.waiting, 0)
}

// forget drops lanes that say nothing any more. A lane that is ahead of virtual time is kept: its workspace has had more than others.
func (q *queue) forget() {
	if len(q.lanes) <= len(q.waiting)+forgetLanes && len(q.waiting) > 0 {
		return
	}
	for workspace, l := range q.lanes {
		if l.counted == 0 && (l.finish <= q.now || len(q.waiting) == 0) {
			delete(q.lanes, workspace)
		}
	}
}

// cost is what a request takes of an entry, in units of work.
func (r *queued) cost() int {
	const (
		each      = int(fsm.MaxEntryWork) / 4096 // an entry has 4096 calls at most
		bytesEach = 256 << 10 / int(fsm.MaxEntryWork)
	)
	return each + r.work + r.size/bytesEach
}

// laneHeap orders lanes by finish: package container/heap.
type laneHeap []*lane

func (h laneHeap) Len() int           { return len(h) }
func (h laneHeap) Less(i, j int) bool { return h[i].finish < h[j].finish }
func (h laneHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface.
func (h *laneHeap) Push(l any) { *h = append(*h, l.(*lane)) }

// Pop implements heap.Interface.
func (h *laneHeap) Pop() any {
	last := len(*h) - 1
	l := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return l
}
