import CKernels

/// Scores of pairs of neurons on sentences and their ranks, in the fastest form that this processor runs.
package enum RankKernels {
  /// Pairs that are scored and ranked together.
  package static var columns: Int { Int(HATCHLING_RANK_COLUMNS) }
  /// Numbers of scratch memory per row of ``ranks(_:rows:silent:scratch:into:)``.
  package static var scratchPerRow: Int { 32 }

  /// What one presynaptic neuron and ``columns`` postsynaptic ones score on the sentences in which the former fires, `(3, rows, columns)`:
  /// Σ y x over all tokens, Σ y x over those in the window, and the largest y x.
  ///
  /// - Parameters:
  ///   - tokens: where the presynaptic neuron fires, ascending; `rows` which sentence's row that is, `values` its y.
  ///   - inWindow: of every token whether it lies in its sentence's window.
  ///   - x: of the postsynaptic neurons at every token, `(tokens, columns)`.
  ///
  /// Products are rounded, then added in the order of the tokens, so the bits do not depend on the processor.
  package static func pairScores(
    tokens: UnsafePointer<Int32>, rows: UnsafePointer<Int32>, values: UnsafePointer<Float>, count: Int,
    inWindow: UnsafePointer<UInt8>, x: UnsafePointer<Float>, rowCount: Int,
    into scores: UnsafeMutablePointer<Float>
  ) {
    hatchling_pair_scores(tokens, rows, values, count, inWindow, x, rowCount, scores)
  }

  /// Of every score how many of its column are below it, and how many at most as large, added up: 2 · (mid-rank) − 1, `(rows + 1, columns)`.
  /// The last row is that of `silent` further scores, all 0. Scores are at least 0 and not NaN. Cost: `rows²` comparisons per column.
  package static func ranks(
    _ scores: UnsafePointer<Float>, rows: Int, silent: Int, scratch: UnsafeMutablePointer<Float>,
    into ranks: UnsafeMutablePointer<Float>
  ) {
    hatchling_column_ranks(scores, rows, silent, scratch, ranks)
  }

  /// Σ (2 · (mid-rank) − 1) over the rows that are with, and how many scores are 0, `(columns)`: what ``ranks(_:rows:silent:scratch:into:)`` would
  /// add up to, for one labelling. - Parameter silentWith: how many of the `silent` scores are with. Cost: rows with × rows without comparisons.
  package static func sums(
    _ scores: UnsafePointer<Float>, with: UnsafePointer<UInt8>, rows: Int, silentWith: Int, silent: Int,
    scratch: UnsafeMutablePointer<Float>, into sums: UnsafeMutablePointer<Float>,
    zeros: UnsafeMutablePointer<Float>
  ) {
    hatchling_column_sums(scores, with, rows, silentWith, silent, scratch, sums, zeros)
  }

  /// Raises maxima_r to the largest of row r of `values`, `(rows, columns)`.
  package static func raiseMaxima(
    _ maxima: UnsafeMutablePointer<Float>, to values: UnsafePointer<Float>, rows: Int
  ) {
    hatchling_raise_maxima(values, rows, maxima)
  }
}
