// Package headway is the root of the module; it holds no code, only the tests
// of the rules that hold for all packages (imports_test.go).
package headway
