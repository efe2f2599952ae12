import CKernels

/// Finds the rows whose float32 sum with a vector may be positive, from an 8-bit copy of the rows.
///
/// With w = s q + e and v = t p + f, q and p integers, ⟨w, v⟩ = s t ⟨q, p⟩ + ⟨e, v⟩ + s ⟨q, f⟩, so by Cauchy–Schwarz
/// |⟨w, v⟩ − s t ⟨q, p⟩| ≤ ‖e‖ ‖v‖ + ‖s q‖ ‖f‖. ⟨q, p⟩ is an exact integer. To this the rounding of the float32 sum itself is added,
/// γ ‖w‖ ‖v‖ with γ = (d + 16) 2⁻²⁴, and what products lose below the normal range. A row is left out only when even the upper bound is
/// not positive: its sum, computed in float32 in any order, is then not positive either. Rows and vectors that are not finite are
/// never left out. The derivation is in docs/engine.md.
///
/// Memory: `d + 16` bytes per row.
package final class RowScreen: @unchecked Sendable {
  // Written in init only.
  package let rows, d: Int
  private let codes: NumberStorage<UInt8>
  /// Of every row its scale, bound, size and length.
  private let numbers: [NumberStorage<Float>]
  private let screen: hatchling_screen
  private let longest: Double

  /// Encodes `rows` rows of `d` weights. Cost: one pass over them, on all threads.
  package init(_ weights: UnsafePointer<Float>, rows: Int, d: Int, workers: Workers) {
    (self.rows, self.d) = (rows, d)
    codes = NumberStorage(zeros: rows * d)
    numbers = (0..<4).map { _ in NumberStorage(zeros: rows) }
    let whole = hatchling_screen(
      d: d, codes: codes.base, scale: numbers[0].base, bound: numbers[1].base, size: numbers[2].base,
      length: numbers[3].base)
    screen = whole
    let parts = 64
    withUnsafePointer(to: whole) { screen in
      workers.run(blocks: parts) { part in
        let (first, end) = (rows * part / parts, rows * (part + 1) / parts)
        hatchling_encode_rows(weights, screen, first, end - first)
      }
    }
    // A row with a length that is not a number is never left out by its own bound.
    let lengths = UnsafeBufferPointer(start: numbers[3].base, count: rows)
    longest = Double(lengths.reduce(0) { $1 > $0 ? $1 : $0 })
  }

  /// A vector to screen with, `(d)`. Reused from token to token.
  package final class Query: @unchecked Sendable {
    fileprivate var query: hatchling_query
    private let high, low: NumberStorage<Int8>
    private let wide: NumberStorage<Int16>
    /// False when the vector last asked cannot be screened with; then every row may be positive.
    package private(set) var isUsable = false

    package init(d: Int) {
      high = NumberStorage(zeros: d + Int(HATCHLING_SCREEN_BYTES))
      low = NumberStorage(zeros: d + Int(HATCHLING_SCREEN_BYTES))
      wide = NumberStorage(zeros: d + Int(HATCHLING_SCREEN_BYTES))
      query = hatchling_query(
        high: high.base, low: low.base, wide: wide.base, excess: 0, step: 0, norm: 0, residue: 0, smallest: 0)
    }

    /// Prepares for the rows of `screen`. Sums that could overflow in float32 are not screened.
    package func ask(_ v: UnsafePointer<Float>, _ screen: RowScreen) {
      isUsable = hatchling_ask(&query, v, screen.d) != 0 && screen.longest * query.norm < 1e38
    }
  }

  /// Lists the rows of a range that may have a positive sum; `sums` and `possible` have room for the range. Returns how many.
  package func list(
    _ range: Range<Int>, _ query: Query, sums: UnsafeMutablePointer<Int32>,
    into possible: UnsafeMutablePointer<Int32>
  ) -> Int {
    assert(range.lowerBound >= 0 && range.upperBound <= rows)
    return screen(query) {
      hatchling_screen_rows($0, $1, range.lowerBound, nil, range.count, sums, possible)
    }
  }

  /// As ``list(_:_:sums:into:)``, of `count` listed rows.
  package func list(
    _ rows: UnsafePointer<Int32>, count: Int, _ query: Query, sums: UnsafeMutablePointer<Int32>,
    into possible: UnsafeMutablePointer<Int32>
  ) -> Int {
    assert(count >= 0 && (0..<count).allSatisfy { (0..<Int32(self.rows)).contains(rows[$0]) })
    return screen(query) { hatchling_screen_rows($0, $1, 0, rows, count, sums, possible) }
  }

  private func screen(
    _ query: Query, _ body: (UnsafePointer<hatchling_screen>, UnsafePointer<hatchling_query>) -> Int
  ) -> Int {
    let asked = query.query
    return withUnsafePointer(to: screen) { screen in
      withUnsafePointer(to: asked) { body(screen, $0) }
    }
  }
}
