package child

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// FreePort is a TCP port of 127.0.0.1 that nobody listens on. It lies below
// the range that the kernel takes ports of outgoing connections from, so that
// a server which was stopped finds its port free when it comes back.
func FreePort() (int, error) {
	for range 200 {
		port := 20000 + rand.IntN(12000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		return port, l.Close()
	}
	return 0, errors.New("no free port between 20000 and 32000 on 127.0.0.1")
}
