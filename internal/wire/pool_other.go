//go:build !(linux && (amd64 || arm64))

package wire

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// HasPool says that this system has no Pool.
const HasPool = false

// Pool does not exist on this system.
type Pool struct{}

// NewPool fails with an error that matches [errors.ErrUnsupported].
func NewPool(*Dialer) (*Pool, error) {
	return nil, fmt.Errorf("watching connections with epoll: %w", errors.ErrUnsupported)
}

// Close does nothing.
func (*Pool) Close() {}

// Do ends the call with an error.
func (*Pool) Do(_ context.Context, c *Call) { go c.Handler.End(c.end(errors.ErrUnsupported)) }

// Preconnect fails.
func (*Pool) Preconnect(context.Context, string, int, func(time.Duration)) error {
	return errors.ErrUnsupported
}

// Idle is 0.
func (*Pool) Idle(string, any) int { return 0 }

// CloseIdle does nothing.
func (*Pool) CloseIdle(string, any) {}
