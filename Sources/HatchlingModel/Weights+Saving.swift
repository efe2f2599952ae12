import HatchlingCheckpoint
import HatchlingNumerics

extension Weights where Scalar == Float {
  /// Writes a safetensors file in the public code's key layout, which `load_state_dict` takes back, with L, the rule and whatever
  /// else `metadata` says. `attn.damping` and `attn.plastic` are written only where there are any; the public code has neither.
  ///
  /// - Parameter type: `.f32` (exact) or `.bf16` (rounded to nearest even).
  /// - Throws: `CheckpointError.unwritable`. Cost: one pass over the weights.
  public func save(to path: String, metadata: [String: String] = [:], as type: ElementType = .f32) throws {
    let sizes = hyperparameters
    let (n, d, heads, perHead) = (sizes.neurons, sizes.synapticDimension, sizes.heads, sizes.neuronsPerHead)
    var entries = metadata
    entries["n_layer"] = String(sizes.layers)
    entries["variant"] = sizes.variant.rawValue
    var tensors = [
      Self.tensor("attn.freqs", [1, 1, 1, perHead], .f32, Matrix(rows: 1, columns: perHead, frequencies)),
      Self.tensor("decoder", [n, d], type, encoder),
      Self.tensor("embed.weight", [sizes.vocabulary, d], type, embedding),
      Self.tensor("encoder", [heads, d, perHead], type, Self.perHead(decoderX, heads)),
      Self.tensor("encoder_v", [heads, d, perHead], type, Self.perHead(decoderY, heads)),
      Self.tensor("lm_head", [d, sizes.vocabulary], type, readout),
    ]
    if let damping {
      tensors.append(Self.tensor("attn.damping", [n], .f32, Matrix(rows: 1, columns: n, damping)))
    }
    if let plasticSynapses { tensors.append(TensorToWrite("attn.plastic", .u8, [n, d], plasticSynapses)) }
    try SafetensorsWriter.write(tensors, metadata: entries, to: path)
  }

  /// One row per neuron → (H, d, N).
  private static func perHead(_ rows: Matrix<Float>, _ heads: Int) -> Matrix<Float> {
    let (d, perHead) = (rows.columns, rows.rows / heads)
    var result = Matrix<Float>(rows: heads * d, columns: perHead)
    let target = result.mutablePointer()
    for head in 0..<heads {
      for neuron in 0..<perHead {
        let row = rows.row(head * perHead + neuron)
        for hub in 0..<d { target[(head * d + hub) * perHead + neuron] = row[hub] }
      }
    }
    return result
  }

  private static func tensor(
    _ name: String, _ shape: [Int], _ type: ElementType, _ matrix: Matrix<Float>
  ) -> TensorToWrite {
    guard type == .bf16 else { return TensorToWrite(name, .f32, shape, matrix) }
    return TensorToWrite(name, .bf16, shape, matrix.map(\.bfloat16))
  }
}
