import Foundation
import HatchlingEquivalence
import HatchlingNumerics

/// What reduced weights cost, against the float32 tensors.
public struct ReductionReport: Encodable {
  public let tokens: Int
  public let weights: String
  public let agree: Bool
  public let maxKL: Double
  /// `maxKL`, which judges here, under the name that ``VerifyReport`` has.
  public let tolerance: Double
  /// Null: no quantity by itself judges.
  @OrNull public private(set) var firstDivergence: VerifyReport.Place?
  public let quantities: [VerifyReport.Difference]
  public let top1Agreement: Double
  @OrNull public private(set) var meanKL: Double?
  @OrNull public private(set) var lossTensor: Double?
  @OrNull public private(set) var lossGraph: Double?
  @OrNull public private(set) var lossChange: Double?
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
    (self.maxKL, tolerance) = (maxKL, maxKL)
    firstDivergence = nil
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
