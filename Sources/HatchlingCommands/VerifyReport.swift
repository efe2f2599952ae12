import Foundation
import HatchlingEquivalence
import HatchlingNumerics

/// How far graph and tensors agree, as a table and as JSON. With reduced weights or on spikes it is what these cost against the tensors: the mean KL
/// judges then, no quantity by itself.
public struct VerifyReport: Encodable {
  private let report: EquivalenceReport
  private let cost: Cost?

  /// What is not exact, and what it may cost.
  private struct Cost {
    /// The key and the value in JSON.
    let kind: String
    let name: String
    /// What it is compared with.
    let against: String
    let maxKL: Double
  }

  /// - Parameter maxKL: what is allowed with reduced weights, in nats. Default: 1e-2 for bf16, 5e-2 for int8.
  public init(_ report: EquivalenceReport, reducedTo format: ReducedFormat? = nil, maxKL: Double? = nil) {
    self.report = report
    cost = format.map {
      Cost(kind: "weights", name: $0.rawValue, against: "float32", maxKL: maxKL ?? $0.standardMaxKL)
    }
  }

  /// - Parameter maxKL: what is allowed, in nats. Default: 5e-2.
  public init(_ report: EquivalenceReport, spiking code: String, maxKL: Double? = nil) {
    self.report = report
    cost = Cost(kind: "spiking", name: code, against: "numbers", maxKL: maxKL ?? 5e-2)
  }

  /// Whether tokens were read and every quantity was compared at least once.
  private var isComplete: Bool { report.tokens > 0 && report.differences.allSatisfy { $0.comparisons > 0 } }

  public var agree: Bool {
    guard let cost else { return report.agree }
    // Not a number, or nothing compared, does not agree.
    return isComplete && report.meanKL <= cost.maxKL
  }

  public func encode(to encoder: any Encoder) throws {
    let place = cost == nil ? report.firstDivergence : nil
    var object: JSONObject = [
      "tokens": report.tokens, "agree": agree, "tolerance": cost?.maxKL ?? report.tolerance,
      "quantities": report.differences.map {
        [
          "name": report.name(of: $0.quantity), "max_absolute": $0.maxAbsolute,
          "max_relative": $0.maxRelative,
        ]
          as JSONObject
      },
      // The layer from 1, the round of Table 1.
      "first_divergence": place.map {
        [
          "token": $0.token, "layer": $0.layer, "round": $0.round, "quantity": report.name(of: $0.quantity),
          "index": $0.index,
        ] as JSONObject
      },
      "top1_agreement": report.top1Agreement, "mean_kl": report.meanKL, "loss_tensor": report.lossTensor,
      "loss_graph": report.lossGraph,
    ]
    if let cost {
      object.append(
        JSONObject(omittingNil: [
          "weights": cost.kind == "weights" ? cost.name : nil,
          "spiking": cost.kind == "spiking" ? cost.name : nil,
          "max_kl": cost.maxKL, "loss_change": report.lossGraph - report.lossTensor,
        ]))
    }
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    if let cost { return lines(of: cost) }
    var lines = ["quantity   max absolute   max relative"]
    for difference in report.differences {
      lines.append(
        padded(report.name(of: difference.quantity), 8, right: false)
          + padded(scientific(difference.maxAbsolute), 15)
          + padded(scientific(difference.maxRelative), 15))
    }
    lines += [
      "same next token after \(decimal(report.top1Agreement * 100, 2)) % of \(grouped(report.tokens)) tokens, mean KL \(scientific(report.meanKL)) nats",
      "loss: tensors \(decimal(report.lossTensor, 6)), graph \(decimal(report.lossGraph, 6)) nats",
    ]
    let tolerance = scientific(report.tolerance)
    if let place = report.firstDivergence {
      lines.append(
        "PART at token \(place.token), layer \(place.layer), round \(place.round): \(report.name(of: place.quantity))[\(place.index)] beyond \(tolerance)"
      )
    } else {
      lines.append(agree ? "AGREE within \(tolerance)" : "NOT EVERYTHING WAS COMPARED")
    }
    return lines
  }

  private func lines(of cost: Cost) -> [String] {
    let maxKL = cost.maxKL
    let change = report.lossGraph - report.lossTensor
    let beyond =
      report.meanKL.isFinite ? "mean KL beyond \(scientific(maxKL)) nats" : "the mean KL is not finite"
    return [
      "\(cost.kind) \(cost.name) against \(cost.against), \(grouped(report.tokens)) tokens",
      "mean KL            \(scientific(report.meanKL)) nats",
      "loss               \(cost.against) \(decimal(report.lossTensor, 6)), \(cost.name) \(decimal(report.lossGraph, 6)) nats: \(change.isFinite ? String(format: "%+.6f", change) : "not finite")",
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
