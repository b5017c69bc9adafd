// Package headway is the root of the module; it holds the texts of licences
// (licenses.go) and the tests of the rules that hold for all packages
// (imports_test.go).
package headway
