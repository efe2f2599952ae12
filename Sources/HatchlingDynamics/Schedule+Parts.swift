extension Schedule {
  /// The round of a layer of the given kind.
  public subscript(kind: RoundKind) -> Round { rounds[(kind.rawValue + 1) % rounds.count] }

  /// What one layer does, in the parts that kernels are made of. What ends a layer, the hop to the new field or trace, is apart from the gate: y → E y.
  package var parts: Parts {
    let hop = self[.gate].computation
    let encoded = 1 + (hop.firstIndex { if case .send = $0 { true } else { false } } ?? 0)
    return Parts(
      hear: self[.drive].communication, turn: self[.drive].computation, read: self[.read].operations,
      write: self[.reweight].communication, forget: self[.reweight].computation,
      listen: self[.gate].communication, gate: Array(hop[..<encoded]), field: Array(hop[encoded...]))
  }

  package struct Parts: Sendable {
    package let hear, turn, read, write, forget, listen, gate, field: [RoundOperation]
  }
}
