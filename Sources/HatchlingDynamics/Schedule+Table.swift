/// How a schedule reads, as a table.
extension Schedule {
  /// A line of the table: a round, or what comes before the first and after the last.
  public struct Line: Sendable, Hashable, Encodable {
    /// `input`, `4l + 3`, …, `readout`.
    public let round: String
    public let purpose: String
    public let communication: [String]
    public let computation: [String]
  }

  /// Input, the four kinds of rounds in the order of a layer, readout.
  public var table: [Line] {
    [Line(round: "input", purpose: "a token fires", operations: input)]
      + rounds.map {
        Line(
          round: $0.kind.name, purpose: $0.kind.purpose, communication: $0.communication.map(\.summary),
          computation: $0.computation.map(\.summary))
      } + [Line(round: "readout", purpose: "prediction", operations: readout)]
  }

  /// Every round of a token by number, −1 … 4L − 2, with its layer, 1 … L.
  public var numberedRounds: [(number: Int, layer: Int, round: Round)] {
    (1...layers).flatMap { layer in rounds.map { ($0.kind.number(inLayer: layer), layer, $0) } }
  }
}

extension Schedule.Line {
  init(round: String, purpose: String, operations: [RoundOperation]) {
    self.init(
      round: round, purpose: purpose, communication: operations.map(\.summary), computation: [])
  }
}

extension RoundOperation {
  /// What it does, in the signs of the paper.
  public var summary: String {
    switch self {
    case .fire(let quantity): return "the token's neuron: \(quantity.rawValue) ← 1"
    case .send(let from, let over, let into, let listening, _):
      let hearers = listening.map { " where \($0.rawValue) > 0" } ?? ""
      return "\(from.rawValue) → \(into.rawValue) over \(over.rawValue)\(hearers)"
    case .read(let from, let into): return "\(from.rawValue), σ → \(into.rawValue)"
    case .reweight(let presynaptic, let postsynaptic):
      return "σ ← σ + \(presynaptic.rawValue) \(postsynaptic.rawValue)ᵀ"
    case .forget: return "σ ← (1 − u) σ"
    case .activateX: return "x ← (drive of x)₊, added up in Definition 4"
    case .rotate: return "x̃ ← R_t x over partner edges"
    case .activateY: return "y ← (drive of y)₊ x"
    case .normalise(let values, let measured, let kind) where values == [measured]:
      return "\(measured.rawValue) ← LN(\(measured.rawValue)), the normaliser of the \(kind.rawValue)"
    case .normalise(let values, let measured, let kind):
      return
        "\(values.map(\.rawValue).joined(separator: ", ")) ← LN by \(measured.rawValue) (\(kind.rawValue))"
    case .copy(let from, let to): return "\(to.rawValue) ← \(from.rawValue)"
    case .add(let from, let to): return "\(to.rawValue) ← \(to.rawValue) + \(from.rawValue)"
    }
  }

  /// What it changes.
  var results: [Quantity] {
    switch self {
    case .fire(let quantity): [quantity]
    case .send(_, _, let into, _, _), .read(_, let into), .copy(_, let into), .add(_, let into): [into]
    case .reweight, .forget: []
    case .activateX: [.x]
    case .rotate: [.rotated]
    case .activateY: [.y]
    case .normalise(let values, _, _): values + [.gains]
    }
  }
}

extension Schedule {
  /// Whether particles hold a quantity of this layer after so many of its operations: it was computed, and what a drive came from has not
  /// changed since. Channels are told apart where the sum was taken in this layer.
  func holds(_ quantity: Quantity, _ channel: Channel, after done: Int) -> Bool {
    let before = layerOperations[..<done]
    guard channel == .net else {
      guard let made = before.lastIndex(where: { $0.adds(up: quantity) }),
        case .send(let source, _, _, _, _) = before[made]
      else { return false }
      return !before[made...].contains { $0.results.contains(source) }
    }
    // The field and the trace are there from the start.
    if quantity == .v || quantity == .z { return quantities.contains(quantity) }
    guard let made = before.firstIndex(where: { $0.results.contains(quantity) }) else { return false }
    guard case .send(let source, _, _, _, _) = before[made], quantity == .driveX || quantity == .driveY else {
      return true
    }
    return !before[made...].contains { $0.results.contains(source) }
  }
}

extension RoundOperation {
  /// Whether what is sent is added up into a quantity.
  func adds(up quantity: Quantity) -> Bool {
    if case .send(_, _, quantity, _, _) = self { true } else { false }
  }
}
