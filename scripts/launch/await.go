package launch

import (
	"context"
	"fmt"
	"time"
)

// Await polls a condition until it holds. The error names what was awaited and the last reason why it did not hold.
func Await(ctx context.Context, what string, condition func(context.Context) error) error {
	for {
		err := condition(ctx)
		if err == nil {
			return nil
		}
		if Pause(ctx, 50*time.Millisecond) != nil {
			return fmt.Errorf("waiting for %s: %w: %w", what, context.Cause(ctx), err)
		}
	}
}

// Pause waits for d or for the end of ctx, which is an error.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
