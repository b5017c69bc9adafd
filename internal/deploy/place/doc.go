// Package place opens where the candidates of a search run: in a simulation, as
// processes of this host, or on Kubernetes. It is above the packages that know one
// of them each, so that a search needs to know none.
//
// What is started is on a list (see [deploy.Ledger]) until it is gone; [Cleanup]
// removes what the lists of dead searches still have.
package place
