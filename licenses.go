package headway

import _ "embed" // of the texts below

// License is headway's own licence, Notice says which modules its binary holds
// and under which licences, and ThirdParty has the texts of those.
// internal/supply writes the last two.
var (
	//go:embed LICENSE
	License string
	//go:embed NOTICE
	Notice string
	//go:embed THIRD_PARTY_LICENSES
	ThirdParty string
)
