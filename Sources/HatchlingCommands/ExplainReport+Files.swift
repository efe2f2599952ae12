import Foundation
import HatchlingActivity
import HatchlingCheckpoint
import HatchlingModel

/// The report for programs.
extension ExplainReport: Encodable {
  public func encode(to encoder: any Encoder) throws {
    let predictions = Predictions(logits: trace.logits)
    var object: JSONObject = [
      "position": request.position, "token": trace.token,
      "top": predictions.top(5).map { ["token": $0.token, "probability": $0.probability] as JSONObject },
      "engine_difference": engineDifference,
      "share_of_token": sources.token, "share_of_layers": sources.layerTotals,
      "exact_sum": sources.total,
      "drives": drives.map { summary(of: $0) },
      "together": together.map {
        ["count": $0.count, "predicted": $0.predicted, "measured": $0.measured, "random": $0.random]
          as JSONObject
      },
    ]
    object.append([
      "explained": [
        "token": logit.token, "against": logit.rival, "reason": reason.rawValue, "logit": value,
        "probability": Foundation.exp(predictions.logProbabilities[logit.token]), "place": rank,
      ] as JSONObject
    ])
    for group in groups {
      object.append([group.kind.rawValue.replacing(" ", with: "_"): summary(of: group)])
    }
    object.append([
      "writers": writers.map { _ in
        strongestWriters.prefix(request.top).map {
          ["position": $0.position, "token": tokens[$0.position - start], "share": $0.share] as JSONObject
        }
      },
      "engine_cut_difference": cutDifference, "engine_cuts": cutsInEngine,
    ])
    try object.encode(to: encoder)
  }

  private func summary(of drive: NeuronDrive) -> JSONObject {
    let (one, tape) = (drive.neuron, trace.layers[drive.neuron.layer - 1])
    return [
      "neuron": Carrier.neuron(one).name, "x": tape.x[one.neuron], "y": tape.y[one.neuron],
      "drive_x": tape.driveX[one.neuron], "drive_x_of_token": drive.x.token,
      "drive_x_of_layers": drive.x.layerTotals, "drive_y": tape.driveY[one.neuron],
      "drive_y_of_neurons": drive.yByNeuron.reduce(0, +),
    ]
  }

  private func summary(of group: Group) -> JSONObject {
    func check(_ trials: [CutTrial]) -> JSONObject? {
      guard !trials.isEmpty else { return nil }
      let fit = CutFit(trials)
      return [
        "count": fit.count, "r_squared": fit.rSquared, "r_squared_of_gradient": fit.rSquaredOfGradient,
        "slope": fit.slope, "rms": fit.size,
        "without_flips": fit.withoutFlips, "r_squared_without_flips": fit.rSquaredWithoutFlips,
      ]
    }
    return [
      "count": group.search.count, "sum_of_sizes": group.search.magnitude,
      "strongest": group.search.strongest.prefix(request.top).enumerated().map { index, one in
        [
          "name": one.carrier.name, "share": one.share, "gradient": one.gradient,
          "measured": index < group.strongest.count ? group.strongest[index].measured : nil,
        ] as JSONObject
      },
      "cut_strongest": check(group.strongest), "cut_random": check(group.random), "seconds": group.seconds,
    ]
  }

  /// Writes a table: every neuron that the readout hears, exactly; the strongest carriers of each kind and random ones, with what they were
  /// measured to be worth; and earlier tokens. - Throws: `CheckpointError.unwritable`.
  public func write(to path: String) throws {
    try AtomicFile.writeText(to: path) { text in
      text.append("part,kind,layer,name,share,gradient,measured,flips\n")
      func row(
        _ part: String, _ kind: String, _ layer: Int, _ name: String, share: Double? = nil,
        gradient: Double? = nil, _ trial: CutTrial? = nil
      ) throws {
        text.append("\(part),\(kind),\(layer),\(name)")
        for value in [share, gradient, trial?.measured] {
          text.append(byte: 44)
          if let value { text.append(value) }
        }
        text.append(",\(trial.map { String($0.flips) } ?? "")\n")
        try text.flushIfLarge()
      }
      try row("exact", "token", 0, "t\(trace.token)", share: sources.token)
      for (layer, values) in sources.neurons.enumerated() {
        for (neuron, value) in values.enumerated() where trace.layers[layer].y[neuron] != 0 {
          try row("exact", "neurons", layer + 1, "\(layer + 1):n\(neuron)", share: value)
        }
      }
      for group in groups {
        let kind = group.kind.rawValue
        for (index, one) in group.search.strongest.prefix(max(request.top, group.strongest.count))
          .enumerated()
        {
          try row(
            "strongest", kind, one.carrier.layer, one.carrier.name, share: one.share, gradient: one.gradient,
            index < group.strongest.count ? group.strongest[index] : nil)
        }
        for trial in group.random {
          try row(
            "random", kind, trial.carrier.layer, trial.carrier.name, share: trial.predicted,
            gradient: trial.gradient, trial)
        }
      }
      for (place, shares) in (writers?.shares ?? []).enumerated() {
        for (layer, share) in shares.enumerated() {
          try row("earlier", "tokens", layer + 1, "\(start + place)", gradient: share)
        }
      }
    }
  }
}
