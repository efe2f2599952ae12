import Foundation
import HatchlingEquivalence
import HatchlingNumerics

/// How far graph and tensors agree, as a table and as JSON. With reduced weights it is what they cost against the float32 tensors: the mean
/// KL judges then, no quantity by itself.
public struct VerifyReport: Encodable {
  private let report: EquivalenceReport
  private let reduced: (format: ReducedFormat, maxKL: Double)?

  /// - Parameter maxKL: what is allowed with reduced weights, in nats. Default: 1e-2 for bf16, 5e-2 for int8.
  public init(_ report: EquivalenceReport, reducedTo format: ReducedFormat? = nil, maxKL: Double? = nil) {
    self.report = report
    reduced = format.map { ($0, maxKL ?? $0.standardMaxKL) }
  }

  /// Whether tokens were read and every quantity was compared at least once.
  private var isComplete: Bool { report.tokens > 0 && report.differences.allSatisfy { $0.comparisons > 0 } }

  public var agree: Bool {
    guard let reduced else { return report.agree }
    // Not a number, or nothing compared, does not agree.
    return isComplete && report.meanKL <= reduced.maxKL
  }

  public func encode(to encoder: any Encoder) throws {
    let place = reduced == nil ? report.firstDivergence : nil
    var object: JSONObject = [
      "tokens": report.tokens, "agree": agree, "tolerance": reduced?.maxKL ?? report.tolerance,
      "quantities": report.differences.map {
        ["name": $0.quantity.rawValue, "max_absolute": $0.maxAbsolute, "max_relative": $0.maxRelative]
          as JSONObject
      },
      // The layer from 1, the round of Table 1.
      "first_divergence": place.map {
        [
          "token": $0.token, "layer": $0.layer, "round": $0.round, "quantity": $0.quantity.rawValue,
          "index": $0.index,
        ] as JSONObject
      },
      "top1_agreement": report.top1Agreement, "mean_kl": report.meanKL, "loss_tensor": report.lossTensor,
      "loss_graph": report.lossGraph,
    ]
    if let reduced {
      object.append([
        "weights": reduced.format.rawValue, "max_kl": reduced.maxKL,
        "loss_change": report.lossGraph - report.lossTensor,
      ])
    }
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    if let reduced { return lines(reduced.format.rawValue, maxKL: reduced.maxKL) }
    var lines = ["quantity   max absolute   max relative"]
    for difference in report.differences {
      lines.append(
        padded(difference.quantity.rawValue, 8, right: false) + padded(scientific(difference.maxAbsolute), 15)
          + padded(scientific(difference.maxRelative), 15))
    }
    lines += [
      "same next token after \(decimal(report.top1Agreement * 100, 2)) % of \(grouped(report.tokens)) tokens, mean KL \(scientific(report.meanKL)) nats",
      "loss: tensors \(decimal(report.lossTensor, 6)), graph \(decimal(report.lossGraph, 6)) nats",
    ]
    let tolerance = scientific(report.tolerance)
    if let place = report.firstDivergence {
      lines.append(
        "PART at token \(place.token), layer \(place.layer), round \(place.round): \(place.quantity)[\(place.index)] beyond \(tolerance)"
      )
    } else {
      lines.append(agree ? "AGREE within \(tolerance)" : "NOT EVERYTHING WAS COMPARED")
    }
    return lines
  }

  private func lines(_ weights: String, maxKL: Double) -> [String] {
    let change = report.lossGraph - report.lossTensor
    let beyond =
      report.meanKL.isFinite ? "mean KL beyond \(scientific(maxKL)) nats" : "the mean KL is not finite"
    return [
      "weights \(weights) against float32, \(grouped(report.tokens)) tokens",
      "mean KL            \(scientific(report.meanKL)) nats",
      "loss               float32 \(decimal(report.lossTensor, 6)), \(weights) \(decimal(report.lossGraph, 6)) nats: \(change.isFinite ? String(format: "%+.6f", change) : "not finite")",
      "same next token    after \(decimal(report.top1Agreement * 100, 2)) % of tokens",
      agree
        ? "AGREE: mean KL within \(scientific(maxKL)) nats"
        : isComplete ? "PART: \(beyond)" : "NOT EVERYTHING WAS COMPARED",
    ]
  }
}

extension ReducedFormat {
  /// What is allowed where nobody says otherwise, in nats.
  fileprivate var standardMaxKL: Double {
    switch self {
    case .bfloat16: 1e-2
    case .int8: 5e-2
    }
  }
}
