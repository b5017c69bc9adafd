package telemetry

// What tells of GPUs and hosts.
const (
	DCGM         = "dcgm"
	NVIDIASMI    = "nvidia_smi"
	NodeExporter = "node_exporter"
)

// Kinds of what tells something.
const (
	KindServer = "server"
	KindGPU    = "gpu"
	KindHost   = "host"
)

// Bits of the reasons for which clocks are held down (nvml.h,
// nvmlClocksEventReasons): the software and the hardware cap of power; heat by the
// driver and by the hardware, and its slowdown, which either can cause.
const (
	powerReasons   = 0x4 | 0x80
	thermalReasons = 0x8 | 0x20 | 0x40
)

const (
	mebi    = 1 << 20
	mega    = 1e6
	milli   = 1e-3
	percent = 1e-2
)

// dcgm are the fields of DCGM's exporter (dcgm-exporter, default-counters.csv).
var dcgm = []rule{
	{quantity: Utilization, names: []string{"DCGM_FI_DEV_GPU_UTIL"}, scale: percent},
	{quantity: TensorActive, names: []string{"DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"}},
	{quantity: MemoryBusy, names: []string{"DCGM_FI_DEV_MEM_COPY_UTIL"}, scale: percent},
	{quantity: MemoryUsed, names: []string{"DCGM_FI_DEV_FB_USED"}, scale: mebi},
	{quantity: Power, names: []string{"DCGM_FI_DEV_POWER_USAGE"}},
	{quantity: SMClock, names: []string{"DCGM_FI_DEV_SM_CLOCK"}, scale: mega},
	{quantity: MemoryClock, names: []string{"DCGM_FI_DEV_MEM_CLOCK"}, scale: mega},
	{quantity: Temperature, names: []string{"DCGM_FI_DEV_GPU_TEMP"}},
	{quantity: ThrottledPower, mask: powerReasons,
		names: []string{"DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"}},
	{quantity: ThrottledThermal, mask: thermalReasons,
		names: []string{"DCGM_FI_DEV_CLOCKS_EVENT_REASONS", "DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"}},
	{quantity: Energy, names: []string{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION"}, scale: milli},
	{quantity: NVLinkSent, names: []string{"DCGM_FI_PROF_NVLINK_TX_BYTES"}},
	{quantity: NVLinkReceived, names: []string{"DCGM_FI_PROF_NVLINK_RX_BYTES"}},
	{quantity: PCIeSent, names: []string{"DCGM_FI_PROF_PCIE_TX_BYTES"}},
	{quantity: PCIeReceived, names: []string{"DCGM_FI_PROF_PCIE_RX_BYTES"}},
}

// dcgmIdentity are the labels that name a GPU, or an instance on it. Others (the pod
// that has it) change while it stays.
var dcgmIdentity = []string{"gpu", "GPU_I_ID"}

// node are the families of node exporter.
var node = []rule{
	{quantity: CPUTime, names: []string{"node_cpu_seconds_total"}},
	{quantity: CPUIdle, names: []string{"node_cpu_seconds_total"}, label: "mode", is: []string{"idle", "iowait"}},
	{quantity: MemoryAvailable, names: []string{"node_memory_MemAvailable_bytes"}},
	{quantity: MemoryTotal, names: []string{"node_memory_MemTotal_bytes"}},
	{quantity: NetworkReceived, names: []string{"node_network_receive_bytes_total"}, label: "device",
		isNot: []string{"lo"}},
	{quantity: NetworkSent, names: []string{"node_network_transmit_bytes_total"}, label: "device",
		isNot: []string{"lo"}},
}
