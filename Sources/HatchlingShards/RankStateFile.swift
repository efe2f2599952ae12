import HatchlingCheckpoint
import HatchlingModel
import HatchlingNumerics

extension StateFile {
  /// Writes one file of the state that the ranks of a job have between them: every rank its neurons' rows to their places, nothing is gathered.
  /// The folder is one that all ranks see. Whole or not at all.
  ///
  /// - Parameters:
  ///   - state: with the arrays of the neurons that are here.
  ///   - part: which these are.
  /// - Throws: `CheckpointError.unwritable` or `LaunchError`, on all ranks.
  public static func write(
    _ state: SavedState, of part: NeuronPart, to path: String, among ranks: Ranks
  ) throws {
    let tensors = tensors(of: state)
    let shapes = tensors.map { wholeShape($0, part) }
    let header = try SafetensorsWriter.header(
      zip(tensors, shapes).map { ($0.name, $0.type, $1) }, metadata: metadata(of: state))
    let file: AtomicFile? = try ranks.together {
      guard ranks.speaks else { return nil }
      let file = try AtomicFile(path: path)
      try file.write(header)
      return file
    }
    let name = ranks.broadcast(file.map { Array($0.temporary.utf8) } ?? [], from: 0)
    let temporary = file?.temporary ?? String(decoding: name, as: UTF8.self)
    try ranks.together {
      var start = header.count
      for (tensor, shape) in zip(tensors, shapes) {
        defer { start += shape.reduce(1, *) * tensor.type.size }
        guard let dimension = neuronDimension(of: tensor.name) else {
          if ranks.speaks { try put(tensor, at: start, temporary, path) }
          continue
        }
        let width = dimension == 0 ? shape[1] : 1
        try put(tensor, at: start + part.neurons.lowerBound * width * tensor.type.size, temporary, path)
      }
    }
    try ranks.together { try file?.commit() }
  }

  private static func put(_ tensor: TensorToWrite, at offset: Int, _ temporary: String, _ path: String) throws
  {
    var offset = offset
    try tensor.bytes { bytes in
      try AtomicFile.write(bytes, at: offset, into: temporary, of: path)
      offset += bytes.count
    }
  }

  private static func wholeShape(_ tensor: TensorToWrite, _ part: NeuronPart) -> [Int] {
    var shape = tensor.shape
    if let dimension = neuronDimension(of: tensor.name) { shape[dimension] = part.whole }
    return shape
  }
}

extension Weights where Scalar == Float {
  /// The fingerprint of the whole network, of which every rank has a part. Cost: one pass over the weights, rank after rank.
  public func fingerprint(among ranks: Ranks) -> String {
    fingerprint { hash, mix in
      for rank in 0..<ranks.size {
        if rank == ranks.rank { mix(&hash) }
        hash = ranks.broadcast(hash, from: rank)
      }
    }
  }
}
