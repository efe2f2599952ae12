import HatchlingCheckpoint
import HatchlingNumerics

/// The clocks of the neurons, from `attn.freqs`, from `attns.0.freqs`, `attns.1.freqs`, …, or from the formula.
extension CheckpointLayout {
  /// f, `(N)`. - Throws: ``ModelError`` for numbers that are no frequencies, and for layers that do not share them.
  func frequencies(_ perHead: Int, _ warnings: inout [String]) throws(ModelError) -> [Float] {
    var names = file.tensors.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
      .filter { layerOfFrequencies(Substring($0)) != nil }
      .sorted { (layerOfFrequencies(Substring($0)) ?? 0) < (layerOfFrequencies(Substring($1)) ?? 0) }
    if try optional("attn.freqs") != nil { names.insert("attn.freqs", at: 0) }
    guard let first = names.first, let values = try values(first, perHead) else {
      return Phases.publicFrequencies(neuronsPerHead: perHead)
    }
    for other in names.dropFirst() {
      guard try self.values(other, perHead) == values else {
        throw .frequenciesDiffer(path: file.path, keys: [prefix + first, prefix + other])
      }
    }
    let isShort = file.tensors[prefix + first].map { [.bf16, .f16].contains($0.type) } ?? false
    return restored(values, isShort: isShort, first, &warnings)
  }

  /// l of `attns.l.freqs`, a clock of one layer's own; nil for other names.
  func layerOfFrequencies(_ name: Substring) -> Int? {
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "attns", parts[2] == "freqs" else { return nil }
    return Int(parts[1])
  }

  private func values(_ name: String, _ perHead: Int) throws(ModelError) -> [Float]? {
    guard let view = try optional(name) else { return nil }
    guard view.count == perHead, view.type.isFloat else { throw shape(name, "\(perHead) frequencies") }
    let values = view.floats
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw .notFinite(path: file.path, key: prefix + name, index: index)
    }
    return values
  }

  /// Frequencies that went through 16 bits are computed again where they are the formula's, rounded; else they are left, with a
  /// warning. An error of 2⁻⁹ of f is a wrong phase after some hundred tokens.
  private func restored(
    _ values: [Float], isShort: Bool, _ name: String, _ warnings: inout [String]
  ) -> [Float] {
    let place = "'\(file.path)', key '\(prefix + name)'"
    let roundings: [(name: String, round: (Float) -> Float)] = [
      ("bfloat16", { Float(bfloat16: $0.bfloat16) }), ("float16", \.roundedToHalf),
    ]
    for (format, round) in roundings where values.allSatisfy({ round($0) == $0 }) {
      if let exact = Self.formula(roundingTo: values, by: round) {
        guard exact != values else { return values }
        warnings.append(
          "\(place): the frequencies were rounded to \(format); they are the formula's, computed again in float32"
        )
        return exact
      }
      // Numbers such as 0, 0.5 or 0.375 are whole in 16 bits anyway.
      let long = Set(values.filter { $0.significandWidth > 3 })
      guard isShort ? !long.isEmpty : long.count > 3 else { continue }
      warnings.append(
        "\(place): the frequencies were rounded to \(format) and are not the formula's; beyond some 100 tokens of a text "
          + "predictions differ from the network that was trained. Save this tensor in float32")
      return values
    }
    return values
  }

  /// The formula's frequencies whose roundings are `values`: of one network, or of several that were merged, one after the
  /// other. Nil when there are none. Frequencies fall inside each network, so that a rise begins the next.
  private static func formula(roundingTo values: [Float], by round: (Float) -> Float) -> [Float]? {
    var exact: [Float] = []
    while exact.count < values.count {
      let start = exact.count
      let end = (start + 1..<values.count).first { values[$0] > values[$0 - 1] } ?? values.count
      let part = Phases.publicFrequencies(neuronsPerHead: end - start)
      // Another library's power may differ in the last bit, and round to the other side.
      for (value, frequency) in zip(values[start..<end], part) {
        guard [frequency, frequency.nextUp, frequency.nextDown].contains(where: { round($0) == value }) else {
          return nil
        }
      }
      exact += part
    }
    return exact
  }
}

extension Float {
  /// The nearest number of IEEE half precision, ties to even.
  fileprivate var roundedToHalf: Float {
    // Below 2⁻¹⁴ steps are 2⁻²⁴; above, 2⁻¹⁰ of the power of two.
    let step = Float(sign: .plus, exponent: Swift.max(Int(exponent), -14) - 10, significand: 1)
    guard self != 0, magnitude < 65520 else { return self == 0 ? self : .infinity }
    return (self / step).rounded(.toNearestOrEven) * step
  }
}
