package deploy

import (
	"fmt"
	"slices"
	"strconv"

	"headway/internal/options"
)

// systemPort is the variable by which a worker of Dynamo is told where its page of
// metrics is to be; its frontend and what it starts inherit it, and leave it alone.
const systemPort = "DYN_SYSTEM_PORT"

// workerPages are those of Dynamo's workers and routers among the engine's processes.
func (e *processEngine) workerPages() (pages []options.Page) {
	var ports []int
	for _, value := range valuesOf(systemPort, members(e.child.pid, e.entry.Marker)) {
		if n, err := strconv.Atoi(value); err == nil && n > 0 && n < 1<<16 && n != e.port {
			ports = append(ports, n)
		}
	}
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		address := fmt.Sprintf("http://127.0.0.1:%d", port)
		pages = append(pages, options.Page{Name: address, URL: address})
	}
	return pages
}
