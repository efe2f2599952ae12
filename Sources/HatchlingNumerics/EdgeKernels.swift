import CKernels

// Training on synapse lists, in the fastest form that this processor runs. Rows are neurons or nodes, columns the tokens of one stream.

extension NetworkScalar {
  /// out ← base ⊙ share + Σ weight · row `source` of `values`, `(rows, columns)`; without a base, what is there is added to.
  ///
  /// - Parameters:
  ///   - offsets: row r of the lists is `offsets[r] ..< offsets[r + 1]`; `rows + 1` of them.
  ///   - share: what multiplies the base at every token, `(columns)`.
  /// Cost: `columns` multiplications per synapse, in the order of the list.
  package static func edgeSums(
    offsets: UnsafePointer<Int>, sources: UnsafePointer<Int32>, weights: Numbers, rows: Int,
    of values: Numbers,
    columns: Int, base: (values: Numbers, share: Numbers)? = nil, into out: Results
  ) {
    offsets.withMemoryRebound(to: Int64.self, capacity: rows + 1) {
      hatchling_edge_sums(
        isFloat, $0, sources, weights, rows, values, columns, base?.values, base?.share, out)
    }
  }

  /// gradient ← gradient + ⟨row r of `changes`, row `source` of `values`⟩ for every synapse of every row.
  package static func edgeProducts(
    offsets: UnsafePointer<Int>, sources: UnsafePointer<Int32>, rows: Int, changes: Numbers, values: Numbers,
    columns: Int, into gradient: Results
  ) {
    offsets.withMemoryRebound(to: Int64.self, capacity: rows + 1) {
      hatchling_edge_products(isFloat, $0, sources, rows, changes, values, columns, gradient)
    }
  }

  /// R_t on the two rows of a pair, `(2, columns)`.
  package static func rotateRows(
    _ x: Numbers, _ cosines: Numbers, _ sines: Numbers, columns: Int, into out: Results
  ) {
    hatchling_rotate_rows(isFloat, x, cosines, sines, columns, out)
  }

  /// sum ← sum + R_tᵀ g on the two rows of a pair.
  package static func addRotatedBack(
    _ g: Numbers, _ cosines: Numbers, _ sines: Numbers, columns: Int, into sum: Results
  ) {
    hatchling_rotate_rows_back(isFloat, g, cosines, sines, columns, sum)
  }

  /// y = (drive)₊ · gain · x at every token of one neuron.
  package static func fire(_ drive: Numbers, _ x: Numbers, gains: Numbers, columns: Int, into y: Results) {
    hatchling_fire(isFloat, drive, x, gains, columns, y)
  }

  /// From the gradient of ``fire(_:_:gains:columns:into:)``'s y: the drive's takes the drive's place, x's and the gains' are added.
  package static func fireBack(
    _ drive: Results, _ x: Numbers, gains: Numbers, gradient: Numbers, columns: Int, toX: Results,
    toGains: Results
  ) {
    hatchling_fire_back(isFloat, drive, x, gains, gradient, columns, toX, toGains)
  }

  /// out = (z + y · y's gain) · gain at every token of one neuron.
  package static func keepTrace(
    _ z: Numbers, _ y: Numbers, gainsOfY: Numbers, gains: Numbers, columns: Int, into out: Results
  ) {
    hatchling_keep_trace(isFloat, z, y, gainsOfY, gains, columns, out)
  }
}
