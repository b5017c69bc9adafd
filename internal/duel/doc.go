// Package duel decides which of two servers is better, and stops when it knows.
//
// Both get the same load in blocks: in each, one side after the other (or both at
// once) gets requests of the same lengths at the same times, with text that neither has
// seen, and which of them is first is drawn. A block gives one difference for each
// figure, and the block is the unit: requests within one depend on each other.
//
// The intervals are confidence sequences (sequence.go): they hold at every number of
// blocks together, so that looking after each block, and stopping when a word is
// found, costs nothing. The words are those of package compare. The [Referee] turns
// blocks into rulings and knows no server; [Study] makes the blocks, live or in virtual
// time, and keeps those of an earlier call.
package duel
