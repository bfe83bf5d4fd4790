package faultrun

import (
	"context"
)

// middle is what happens while a node is being replaced.
type middle string

const (
	nothing        middle = "nothing"
	killOther      middle = "another node is killed"
	killSuccessor  middle = "the new node is killed"
	emptySuccessor middle = "the new node loses its data as well"
)

// replaceInTurn does to each node what an operator does who follows the advice to rebuild it: SIGTERM, delete the data, start the same
// command line, wait for /readyz. The next one follows at once. Rounds take turns in where the leader comes and in what happens meanwhile.
func (in *injector) replaceInTurn(ctx context.Context, round int) error {
	ctx = context.WithoutCancel(ctx) // a round that has begun is completed, so that a short run has one as well
	happens := [...]middle{nothing, killSuccessor, killOther, emptySuccessor}[round/2%4]
	for _, i := range in.replacementOrder(round%2 == 0) {
		in.logf("node %d loses its data; meanwhile %s", i, happens)
		if err := in.replace(ctx, i, happens); err != nil {
			return err
		}
	}
	return nil
}

// replacementOrder is a random order with the leader at one of its ends.
func (in *injector) replacementOrder(leaderFirst bool) []int {
	order := in.random.Perm(in.cluster.Size())
	leader, known := in.watch.leader()
	end := len(order) - 1
	if leaderFirst {
		end = 0
	}
	for at, i := range order {
		if known && i == leader {
			order[at], order[end] = order[end], order[at]
			break
		}
	}
	return order
}

func (in *injector) replace(ctx context.Context, i int, happens middle) error {
	other := (i + 1 + in.random.IntN(in.cluster.Size()-1)) % in.cluster.Size()
	if err := in.cluster.Start(i); err != nil { // an earlier fault may have left it down, or started it just now
		return err
	}
	if err := in.awaitReady(ctx, i); err != nil {
		return err
	}
	if err := in.cluster.Stop(i); err != nil {
		return err
	}
	if err := in.startEmpty(i); err != nil {
		return err
	}
	if err := in.disturbReplacement(ctx, i, other, happens); err != nil {
		return err
	}
	if err := in.awaitReady(ctx, i); err != nil {
		return err
	}
	in.replaced++
	return nil
}

func (in *injector) disturbReplacement(ctx context.Context, i, other int, happens middle) error {
	if happens == nothing {
		return nil
	}
	in.wait(ctx, 1, 1500)
	switch happens {
	case killOther:
		in.kill(other)
		in.wait(ctx, 10, 800)
		return in.cluster.Start(other)
	case killSuccessor:
		in.kill(i)
		in.wait(ctx, 10, 800)
		return in.cluster.Start(i)
	default:
		in.kill(i)
		return in.startEmpty(i)
	}
}

func (in *injector) awaitReady(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, in.patience)
	defer cancel()
	return in.cluster.AwaitNode(ctx, i)
}

// startEmpty starts a node that is down with an empty data directory.
func (in *injector) startEmpty(i int) error {
	if err := in.cluster.Wipe(i); err != nil {
		return err
	}
	return in.cluster.Start(i)
}
