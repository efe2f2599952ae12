import Foundation
import HatchlingEquivalence
import HatchlingNumerics

/// What reduced weights cost, against the float32 tensors.
public struct ReductionReport: Encodable {
  public let tokens: Int
  public let weights: String
  public let agree: Bool
  public let maxKL: Double
  public let quantities: [VerifyReport.Difference]
  public let top1Agreement: Double
  public let meanKL: Double?
  public let lossTensor: Double?
  public let lossGraph: Double?
  public let lossChange: Double?
  /// Whether tokens were read and every quantity was compared at least once.
  private let isComplete: Bool

  /// What is allowed where nobody says otherwise: 1e-2 nats for bf16, 5e-2 for int8.
  public static func standardMaxKL(_ format: ReducedFormat) -> Double {
    switch format {
    case .bfloat16: 1e-2
    case .int8: 5e-2
    }
  }

  /// - Parameter maxKL: what is allowed, in nats.
  public init(_ report: EquivalenceReport, _ format: ReducedFormat, maxKL: Double) {
    tokens = report.tokens
    weights = format.rawValue
    self.maxKL = maxKL
    isComplete = report.tokens > 0 && report.differences.allSatisfy { $0.comparisons > 0 }
    // Not a number, or nothing compared, does not agree.
    agree = isComplete && report.meanKL <= maxKL
    quantities = VerifyReport(report).quantities
    top1Agreement = report.top1Agreement
    meanKL = finite(report.meanKL)
    lossTensor = finite(report.lossTensor)
    lossGraph = finite(report.lossGraph)
    lossChange = finite(report.lossGraph - report.lossTensor)
  }

  /// All keys of ``VerifyReport`` and more; numbers that are not finite are null. `tolerance` is `max_kl`, which judges here;
  /// `first_divergence` is null, since no quantity by itself does.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(tokens, forKey: .tokens)
    try container.encode(weights, forKey: .weights)
    try container.encode(agree, forKey: .agree)
    try container.encode(maxKL, forKey: .maxKL)
    try container.encode(maxKL, forKey: .tolerance)
    try container.encode(quantities, forKey: .quantities)
    try container.encodeNil(forKey: .firstDivergence)
    try container.encode(top1Agreement, forKey: .top1Agreement)
    try container.encode(meanKL, forKey: .meanKL)
    try container.encode(lossTensor, forKey: .lossTensor)
    try container.encode(lossGraph, forKey: .lossGraph)
    try container.encode(lossChange, forKey: .lossChange)
  }

  private enum CodingKeys: String, CodingKey {
    case tokens, weights, agree, maxKL, tolerance, quantities, firstDivergence, top1Agreement, meanKL,
      lossTensor, lossGraph, lossChange
  }

  private var verdict: String {
    if agree { return "AGREE: mean KL within \(scientific(maxKL)) nats" }
    guard isComplete else { return "NOT EVERYTHING WAS COMPARED" }
    return meanKL == nil
      ? "PART: the mean KL is not finite" : "PART: mean KL beyond \(scientific(maxKL)) nats"
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let change = lossChange.map { String(format: "%+.6f", $0) } ?? "not finite"
    return [
      "weights \(weights) against float32, \(grouped(tokens)) tokens",
      "mean KL            \(scientific(meanKL)) nats",
      "loss               float32 \(decimal(lossTensor ?? .nan, 6)), \(weights) \(decimal(lossGraph ?? .nan, 6)) nats: \(change)",
      "same next token    after \(decimal(top1Agreement * 100, 2)) % of tokens",
      verdict,
    ]
  }
}
