import Foundation
import HatchlingEquivalence
import HatchlingNumerics

/// What `verify --weights` says: what reduced weights cost, against the float32 tensors.
struct ReductionReport: Encodable {
  let tokens: Int
  let weights: String
  let agree: Bool
  let maxKL: Double
  let quantities: [VerifyReport.Difference]
  let top1Agreement: Double
  let meanKL: Double?
  let lossTensor: Double?
  let lossGraph: Double?
  let lossChange: Double?

  /// What cli.md allows: 1e-2 nats for bf16, 5e-2 for int8.
  static func standardMaxKL(_ format: ReducedFormat) -> Double {
    switch format {
    case .bfloat16: 1e-2
    case .int8: 5e-2
    }
  }

  init(_ report: EquivalenceReport, _ format: ReducedFormat, maxKL: Double) {
    tokens = report.tokens
    weights = format.rawValue
    self.maxKL = maxKL
    // Not a number, or nothing compared, does not agree.
    agree =
      report.tokens > 0 && report.meanKL <= maxKL && report.differences.allSatisfy { $0.comparisons > 0 }
    quantities = VerifyReport(report).quantities
    top1Agreement = report.top1Agreement
    meanKL = finite(report.meanKL)
    lossTensor = finite(report.lossTensor)
    lossGraph = finite(report.lossGraph)
    lossChange = finite(report.lossGraph - report.lossTensor)
  }

  var lines: [String] {
    func scientific(_ value: Double?) -> String { value.map { String(format: "%.2e", $0) } ?? "not finite" }
    let change = lossChange.map { String(format: "%+.6f", $0) } ?? "not finite"
    return [
      "weights \(weights) against float32, \(grouped(tokens)) tokens",
      "mean KL            \(scientific(meanKL)) nats",
      "loss               float32 \(decimal(lossTensor ?? .nan, 6)), \(weights) \(decimal(lossGraph ?? .nan, 6)) nats: \(change)",
      "same next token    after \(decimal(top1Agreement * 100, 2)) % of tokens",
      agree
        ? "AGREE: mean KL within \(scientific(maxKL)) nats"
        : "PART: mean KL beyond \(scientific(maxKL)) nats",
    ]
  }
}
