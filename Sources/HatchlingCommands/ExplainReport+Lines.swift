import Foundation
import HatchlingActivity
import HatchlingModel

/// The report as people read it.
extension ExplainReport {
  public var lines: [String] {
    heading + exactLines + drives.flatMap(lines(of:))
      + groups.flatMap { [""] + table(of: $0) } + writerLines + [""] + checkLines
  }

  private func quoted(_ token: Int) -> String { "'\(readable(token))'" }
  /// At most so many tokens before a position.
  private func text(before position: Int, _ count: Int) -> String {
    let place = position - start
    return tokens[max(0, place - count)..<place].map { $0 == 32 ? " " : readable($0) }.joined()
  }
  private func signed(_ value: Double) -> String {
    value.isFinite ? String(format: "%+.4g", value == 0 ? 0 : value) : "–"
  }

  private var heading: [String] {
    let predictions = Predictions(logits: trace.logits)
    let top = predictions.top(5).map { "\(quoted($0.token)) \(percent($0.probability))" }
    let probability = Foundation.exp(predictions.logProbabilities[logit.token])
    let why =
      switch reason {
      case .named: ""
      case .follows: ", which follows"
      case .expected: ", the most likely one"
      }
    let rival = logit.rival.map { "that of \(quoted($0))" } ?? "the mean of all"
    return [
      "token \(request.position) \(quoted(trace.token)) after '\(text(before: request.position, 24))'; expected next: \(top.joined(separator: ", "))",
      "explained: the logit of \(quoted(logit.token))\(why) (\(percent(probability)), place \(rank)), less \(rival): \(signed(value))",
    ]
  }

  var value: Double { logit.value(of: trace.logits) }
  var rank: Int { 1 + trace.logits.count { $0 > trace.logits[logit.token] } }

  private var exactLines: [String] {
    let layers = sources.layerTotals.enumerated().map { "layer \($0 + 1) \(signed($1))" }
    return [
      "",
      "what the readout hears, exactly, the normalisers' gains as they were:",
      "  token \(quoted(trace.token)) \(signed(sources.token)), neurons of \(layers.joined(separator: ", ")): \(signed(sources.total)), off by \(scientific(abs(sources.total - value)))",
    ]
  }

  // MARK: A neuron's drives

  private func lines(of drive: NeuronDrive) -> [String] {
    let (one, tape) = (drive.neuron, trace.layers[drive.neuron.layer - 1])
    let (x, y) = (tape.driveX[one.neuron], tape.driveY[one.neuron])
    let said = drive.x.neurons.enumerated().flatMap { layer, values in
      values.enumerated().filter { $0.element != 0 }.map {
        (name: "\(layer + 1):n\($0.offset)", value: $0.element)
      }
    }
    let read = drive.yByNeuron
    let synapses = (0..<drive.y.rows).flatMap { row in
      (0..<drive.y.columns).filter { drive.y[row, $0] != 0 }.map { hub in
        (name: "\(one.layer):h\(hub):n\(drive.first + row)", value: drive.y[row, hub])
      }
    }
    let layers = drive.x.layerTotals.enumerated().map { ", layer \($0 + 1) \(signed($1))" }.joined()
    return [
      "",
      "neuron \(one.layer):n\(one.neuron): x \(signed(tape.x[one.neuron])), y \(signed(tape.y[one.neuron]))",
      "  drive of x \(signed(x)) = token \(signed(drive.x.token))\(layers), off by \(scientific(abs(drive.x.total - x)))",
      "    neurons before it: \(largest(said))",
      "  drive of y \(signed(y)) = \(grouped(synapses.count)) plastic synapses of \(grouped(read.count { $0 != 0 })) neurons, off by \(scientific(abs(read.reduce(0, +) - y)))",
      "    synapses: \(largest(synapses))",
      "    neurons over all their synapses: \(largest(read.enumerated().map { ("n\(drive.first + $0)", $1) }))",
    ]
  }

  private func largest(_ terms: [(name: String, value: Double)]) -> String {
    let chosen = terms.indices.sorted { (abs(terms[$1].value), $0) < (abs(terms[$0].value), $1) }.prefix(8)
    return chosen.isEmpty
      ? "none" : chosen.map { "\(terms[$0].name) \(signed(terms[$0].value))" }.joined(separator: ", ")
  }

  // MARK: Tables

  private func table(of group: Group) -> [String] {
    let rows = group.search.strongest.prefix(request.top)
    let part =
      group.search.magnitude > 0 ? rows.reduce(0) { $0 + abs($1.gradient) } / group.search.magnitude : 0
    let columns =
      switch group.kind {
      case .neurons: ["x", "y", "heard"]
      case .plastic, .fixed: ["weight", "sent", "arrives"]
      }
    var lines = [
      "\(group.kind.rawValue): the \(rows.count) that count most of \(grouped(group.search.count)); of all gradient × value by size they are \(percent(part))",
      padded("", 20, right: false) + (columns + ["share", "measured"]).map { padded($0, 12) }.joined(),
    ]
    for (index, one) in rows.enumerated() {
      let measured = index < group.strongest.count ? signed(group.strongest[index].measured) : "–"
      lines.append(
        padded(one.carrier.name, 20, right: false)
          + (numbers(of: one.carrier).map(signed) + [signed(one.share), measured]).map { padded($0, 12) }
          .joined())
    }
    return lines
  }

  /// Of a neuron x, y and what the readout hears of it; of a synapse its weight, what is sent over it, and the product, which arrives.
  func numbers(of carrier: Carrier) -> [Double] {
    let tape = trace.layers[carrier.layer - 1]
    func synapse(_ weight: Double, _ sent: Double) -> [Double] { [weight, sent, weight * sent] }
    switch carrier {
    case .neuron(let one):
      return [tape.x[one.neuron], tape.y[one.neuron], sources.neurons[one.layer - 1][one.neuron]]
    case .plastic(let one):
      let (hub, neuron) = (one.synapse.presynaptic, one.synapse.postsynaptic)
      return synapse(network.plastic[one.layer - 1][neuron, hub], tape.rotated[neuron])
    case .fixed(let one):
      let head = one.neuron / network.weights.hyperparameters.neuronsPerHead
      let weights = network.weights
      switch one.kind {
      case .x: return synapse(weights.decoderX[one.neuron, one.hub], tape.heardField[one.hub])
      case .y:
        return synapse(
          weights.decoderY[one.neuron, one.hub], tape.heard[head * weights.decoderY.columns + one.hub])
      case .encoder: return synapse(weights.encoder[one.neuron, one.hub], tape.y[one.neuron])
      }
    }
  }

  /// Earlier tokens by what the logit owes to their writes, largest first.
  var strongestWriters: [(position: Int, share: Double)] {
    guard let writers else { return [] }
    let totals = writers.shares.map { layers in
      layers.enumerated().reduce(0) {
        request.layers?.contains($1.offset + 1) ?? true ? $0 + $1.element : $0
      }
    }
    return totals.indices.sorted { (abs(totals[$1]), $0) < (abs(totals[$0]), $1) }
      .map { (writers.first + $0, totals[$0]) }
  }

  private var writerLines: [String] {
    guard writers != nil else { return [] }
    let rows = strongestWriters
    return ["", "earlier tokens by what their writes are worth to it, to first order:"]
      + rows.prefix(request.top).map { row in
        "  \(padded(String(row.position), 8)) \(padded(quoted(tokens[row.position - start]), 6, right: false)) \(padded(signed(row.share), 12))   after '\(text(before: row.position, 12))'"
      }
  }

  // MARK: Checks

  private var checkLines: [String] {
    func number(_ value: Double?) -> String { value.map { decimal($0, 4) } ?? "–" }
    var lines = [
      "share: what the logit would lose without, exactly through the first normaliser and rectifier, to first order beyond; measured: what it lost when that was really cut, for this token alone"
    ]
    if groups.contains(where: { !$0.strongest.isEmpty }) {
      lines.append(
        "really cut                    count      R²   slope   rms loss   no flips   R² of these   R² of gradient × value   seconds"
      )
    }
    for group in groups where !group.strongest.isEmpty {
      for (name, trials) in [("strongest ", group.strongest), ("random ", group.random)] {
        let fit = CutFit(trials)
        lines.append(
          padded(name + group.kind.rawValue, 27, right: false) + padded(grouped(fit.count), 8)
            + padded(number(fit.rSquared), 8) + padded(number(fit.slope), 8)
            + padded(scientific(fit.size), 11)
            + padded(grouped(fit.withoutFlips), 11) + padded(number(fit.rSquaredWithoutFlips), 14)
            + padded(number(fit.rSquaredOfGradient), 25)
            + padded(name == "random " ? decimal(group.seconds, 1) : "", 10))
      }
    }
    for group in groups where !group.strongest.isEmpty {
      let misses = group.strongest.sorted {
        abs($0.measured - $0.predicted) > abs($1.measured - $1.predicted)
      }.prefix(3)
      lines.append(
        "largest misses, \(group.kind.rawValue): "
          + misses.map {
            "\($0.carrier.name) \(signed($0.predicted)) measured \(signed($0.measured)) (\($0.flips) flips)"
          }.joined(separator: ", "))
    }
    for one in together {
      lines.append(
        "the \(grouped(one.count)) plastic synapses that speak most for it, cut at once: \(signed(one.measured)) of \(signed(value)) lost (\(signed(one.predicted)) by their shares); \(grouped(one.count)) random ones: \(signed(one.random))"
      )
    }
    lines.append(
      "the engine predicts the same within \(scientific(engineDifference))"
        + (cutDifference.map {
          "; without each of the \(cutsInEngine) strongest plastic synapses, too, within \(scientific($0))"
        } ?? ""))
    return lines
  }
}
