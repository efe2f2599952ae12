import HatchlingEquivalence

/// How far graph and tensors agree, as a table and as JSON.
public struct VerifyReport: Encodable, Sendable {
  public struct Difference: Encodable, Sendable {
    public let name: String
    @OrNull public private(set) var maxAbsolute: Double?
    @OrNull public private(set) var maxRelative: Double?
  }
  /// Where they part first: layer from 1, round of Table 1.
  public struct Place: Encodable, Sendable {
    public let token: Int
    public let layer: Int
    public let round: Int
    public let quantity: String
    public let index: Int
  }

  public let tokens: Int
  public let agree: Bool
  public let tolerance: Double
  public let quantities: [Difference]
  @OrNull public private(set) var firstDivergence: Place?
  public let top1Agreement: Double
  @OrNull public private(set) var meanKL: Double?
  @OrNull public private(set) var lossTensor: Double?
  @OrNull public private(set) var lossGraph: Double?

  public init(_ report: EquivalenceReport) {
    tokens = report.tokens
    agree = report.agree
    tolerance = report.tolerance
    quantities = report.differences.map {
      Difference(
        name: $0.quantity.rawValue, maxAbsolute: finite($0.maxAbsolute), maxRelative: finite($0.maxRelative)
      )
    }
    firstDivergence = report.firstDivergence.map {
      Place(
        token: $0.token, layer: $0.layer, round: $0.round, quantity: $0.quantity.rawValue, index: $0.index)
    }
    top1Agreement = report.top1Agreement
    meanKL = finite(report.meanKL)
    lossTensor = finite(report.lossTensor)
    lossGraph = finite(report.lossGraph)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    var lines = ["quantity   max absolute   max relative"]
    for difference in quantities {
      lines.append(
        padded(difference.name, 8, right: false) + padded(scientific(difference.maxAbsolute), 15)
          + padded(scientific(difference.maxRelative), 15))
    }
    lines.append(
      "same next token after \(decimal(top1Agreement * 100, 2)) % of \(grouped(tokens)) tokens, mean KL \(scientific(meanKL)) nats"
    )
    lines.append(
      "loss: tensors \(decimal(lossTensor ?? .nan, 6)), graph \(decimal(lossGraph ?? .nan, 6)) nats")
    if let place = firstDivergence {
      lines.append(
        "PART at token \(place.token), layer \(place.layer), round \(place.round): \(place.quantity)[\(place.index)] beyond \(scientific(tolerance))"
      )
    } else {
      lines.append(agree ? "AGREE within \(scientific(tolerance))" : "NOT EVERYTHING WAS COMPARED")
    }
    return lines
  }
}
