import CKernels

// σ of plastic synapses through a block of tokens: wherever the neuron fires it is read, then written. Rows of tokens lie in lanes, so that all
// lanes of a vector walk a stretch of the block at once: `laneWidth(columns)` numbers for `columns` tokens.

extension NetworkScalar {
  /// Numbers of a row in lanes.
  package static func laneWidth(_ columns: Int) -> Int {
    let lanes = 64 / MemoryLayout<Self>.stride
    return (columns + lanes - 1) / lanes * lanes
  }

  /// lanes ← rows, `(count, columns)`.
  package static func toLanes(_ rows: Numbers, count: Int, columns: Int, into lanes: Results) {
    hatchling_to_lanes(isFloat, rows, count, columns, lanes)
  }

  /// rows ← lanes, or rows + lanes, `(count, columns)`.
  package static func fromLanes(_ lanes: Numbers, count: Int, columns: Int, added: Bool, into rows: Results) {
    hatchling_from_lanes(isFloat, lanes, count, columns, added, rows)
  }

  /// All plastic synapses into one neuron through a block.
  ///
  /// - Parameters:
  ///   - x: the neuron's x̃ at every token, `(columns)`.
  ///   - keeps: what a synapse keeps of itself in k tokens, by k, `(columns + 1)`; nil means all.
  ///   - z: traces by source, in lanes; what a source hears is added to its row of `heard`, in lanes.
  ///   - before: σ of each synapse as the block begins; nil for 0. `after` takes σ as the next one begins.
  ///   - scratch: four rows in lanes.
  /// Cost: two multiplications per token and synapse, all lanes of a vector at once; per firing where the neuron seldom fires.
  package static func scanEdges(
    _ x: Numbers, columns: Int, keeps: Numbers?, sources: UnsafePointer<Int32>, count: Int, z: Numbers,
    before: Numbers? = nil, into heard: Results, after: Results? = nil, scratch: Results
  ) {
    hatchling_scan_edges(isFloat, x, columns, keeps, sources, count, z, before, heard, after, scratch)
  }

  /// From the gradient of what sources heard, those of z, in lanes, of x̃, `(columns)`, and of ln λ, λ what a synapse keeps per token; all are
  /// added. σ as the block began, `before`, counts as a constant.
  package static func scanEdgesBack(
    _ x: Numbers, columns: Int, keeps: Numbers?, sources: UnsafePointer<Int32>, count: Int, z: Numbers,
    before: Numbers? = nil, heard: Numbers, toZ: Results, toX: Results, toKeep: Results, scratch: Results
  ) {
    hatchling_scan_edges_back(
      isFloat, x, columns, keeps, sources, count, z, before, heard, toZ, toX, toKeep, scratch)
  }
}
