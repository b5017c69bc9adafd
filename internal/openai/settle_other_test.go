//go:build !linux

package openai

import "net"

// settle has nothing to wait for: there is one transport to compare.
func settle(net.Conn) {}
