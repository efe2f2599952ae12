import HatchlingCheckpoint
import HatchlingDynamics
import HatchlingNumerics

/// Spikes of a text as pictures and numbers.
public struct RasterReport: Encodable, Sendable {
  /// A spike of the magnified token.
  struct Tick: Sendable, Hashable {
    let quantity: Quantity
    let layer: Int
    let substep: Int
    let entry: Int
    let isInhibitory: Bool
  }

  /// Who fired at a token.
  struct Firing: Sendable {
    let token: Int
    let layer: Int
    let neurons: [Int32]
  }

  /// How much one quantity fires in one layer.
  struct Rate: Sendable {
    let slot: PhaseSlot
    let layer: Int
    let tokens: Int
    let spikes, inhibitory, firing, everFired: Int
    let seconds: Double

    /// Of particles and tokens, the fraction that fire at least one spike.
    var active: Double { Double(firing) / Double(max(1, tokens * slot.entries)) }
    var perToken: Double { Double(spikes) / Double(max(1, tokens)) }
    /// What the phase takes, with all that is delivered before it.
    var microseconds: Double { 1e6 * seconds / Double(max(1, tokens)) }
    var perActive: Double { Double(spikes) / Double(firing) }
    var inhibitoryShare: Double { Double(inhibitory) / Double(spikes) }
    var ever: Double { Double(everFired) / Double(slot.entries) }
    var place: String { layer > 0 ? String(layer) : slot.place == .readout ? "readout" : "input" }

    var columns: KeyValuePairs<String, (any Encodable)?> {
      [
        "quantity": slot.name, "layer": place, "particles": slot.entries, "substeps": slot.substeps,
        "spikes_per_token": perToken, "active_fraction": active, "spikes_per_active": finite(perActive),
        "inhibitory_share": finite(inhibitoryShare), "ever_active_fraction": ever,
        "microseconds_per_token": microseconds,
      ]
    }
  }

  /// Intervals of one quantity, all layers together, with what chance makes of the same spikes.
  struct Intervals: Sendable {
    let quantity: String
    /// `sub-steps` or `tokens`.
    let unit: String
    let intervals: SpikeIntervals
  }

  let code: String
  let tokens: [Int]
  let request: RasterRequest
  let layers, neurons, heads: Int
  let magnified: Int
  let ticks: [Tick]
  let slots: [PhaseSlot]
  let firing: [Firing]
  let rates: [Rate]
  let intervals: [Intervals]
  /// In which order neurons are shown.
  let groups: RasterGroups
  /// Of pairs of neurons that fire at one token in one layer, the fraction in one community, and by chance; nil where neurons stand by head.
  let pairsInside: (seen: Double, chance: Double)?

  /// The most tokens of the picture from afar.
  public static var mostTokensInPicture: Int { 400 }

  init(
    code: String, tokens: [Int], request: RasterRequest, layers: Int, neurons: Int, heads: Int,
    tallies: [PhaseTally], magnified: Int, ticks: [Tick], slots: [PhaseSlot], firing: [Firing]
  ) {
    (self.code, self.tokens, self.request) = (code, tokens, request)
    (self.layers, self.neurons, self.heads) = (layers, neurons, heads)
    (self.magnified, self.ticks, self.slots, self.firing) = (magnified, ticks, slots, firing)
    groups = request.groups ?? RasterGroups(neurons: neurons, heads: heads)
    pairsInside = request.groups?.pairsInside(firing.map(\.neurons))
    rates = tallies.map {
      Rate(
        slot: $0.slot, layer: $0.layer, tokens: tokens.count, spikes: $0.spikes, inhibitory: $0.inhibitory,
        firing: $0.firing, everFired: $0.everFired, seconds: $0.seconds)
    }
    var names: [String] = []
    for tally in tallies where tally.layer > 0 && !names.contains(tally.slot.name) {
      names.append(tally.slot.name)
    }
    intervals = names.flatMap { name -> [Intervals] in
      let own = tallies.filter { $0.layer > 0 && $0.slot.name == name }
      func sum(_ part: (PhaseTally) -> SpikeIntervals) -> SpikeIntervals {
        own.dropFirst().reduce(into: part(own[0])) { $0.add(part($1)) }
      }
      return [
        Intervals(quantity: name, unit: "sub-steps", intervals: sum(\.within)),
        Intervals(quantity: name, unit: "tokens", intervals: sum(\.betweenTokens)),
      ]
    }
  }

  static func ticks<Scalar>(of phase: SpikePhase<Scalar>) -> [Tick] {
    (0..<phase.substeps).flatMap { substep in
      phase.spikes(at: substep).map { place in
        Tick(
          quantity: phase.quantity, layer: phase.layer, substep: substep, entry: Int(phase.entries[place]),
          isInhibitory: phase.weights[place] < 0)
      }
    }
  }

  // MARK: Numbers

  public func encode(to encoder: any Encoder) throws {
    let object = JSONObject(omittingNil: [
      "code": code, "tokens": tokens.count, "magnified_token": magnified, "spikes_of_it": ticks.count,
      "communities": groups.areCommunities ? groups.groups.map(\.count) : nil,
      "pairs_in_one_community": pairsInside?.seen, "pairs_in_one_community_by_chance": pairsInside?.chance,
      "rates": rates.map { JSONObject(omittingNil: $0.columns) },
      "intervals": intervals.map {
        [
          "quantity": $0.quantity, "unit": $0.unit, "count": $0.intervals.counts,
          "by_chance": $0.intervals.expected,
        ] as JSONObject
      },
    ])
    try object.encode(to: encoder)
  }

  /// The table as a person reads it.
  public var lines: [String] {
    [
      "\(grouped(tokens.count)) tokens on \(code); token \(magnified) magnified, \(grouped(ticks.count)) spikes",
      "quantity  layer    particles  spikes/token    active  spikes/active  inhibitory  ever active  µs/token",
    ]
      + rates.map { rate in
        padded(rate.slot.name, 10, right: false) + padded(rate.place, 7, right: false)
          + padded(grouped(rate.slot.entries), 11) + padded(decimal(rate.perToken, 1), 14)
          + padded(percent(rate.active), 10) + padded(decimal(rate.perActive, 2), 15)
          + padded(rate.spikes > 0 ? percent(rate.inhibitoryShare) : "–", 12)
          + padded(percent(rate.ever), 13) + padded(decimal(rate.microseconds, 0), 10)
      }
      + ["next spike after    1         2         3         4 …: share of all intervals / by chance"]
      + intervals.filter { $0.intervals.total > 0 }.map(shares)
      + (pairsInside.map { [line($0)] } ?? [])
  }

  private func line(_ pairs: (seen: Double, chance: Double)) -> String {
    "\(groups.groups.count { $0.name != RasterGroups.Group.alone }) communities: of pairs whose \(request.showsX ? "x" : "y") fires at one token in one layer \(percent(pairs.seen)) are of one, by chance \(percent(pairs.chance))"
  }

  private func shares(_ own: Intervals) -> String {
    let (total, expected) = (Double(own.intervals.total), own.intervals.expected)
    let parts = own.intervals.counts.indices.dropFirst().prefix(4).map { interval in
      let (seen, chance) = (Double(own.intervals.counts[interval]) / total, expected[interval] / total)
      return padded("\(decimal(seen * 100, 0))/\(decimal(chance * 100, 0)) %", 10, right: false)
    }
    return padded("\(own.quantity), \(own.unit)", 20, right: false) + parts.joined()
  }

  // MARK: Files

  /// Writes `rates.csv`, `intervals.csv` and `summary.json`, and draws `token`, `text` and `intervals` in SVG and PNG, into a folder that is made if
  /// it is not there. - Returns: what to tell the user. - Throws: `CheckpointError`.
  public func write(into path: String) throws -> [String] {
    let folder = try ReportFolder(path)
    try folder.write(summary: self)
    try AtomicFile.writeText(to: folder.file("rates.csv")) { text in
      text.append((rates.first?.columns.map(\.key) ?? []).joined(separator: ",") + "\n")
      for rate in rates {
        text.append(rate.columns.map { $0.value.map { "\($0)" } ?? "" }.joined(separator: ",") + "\n")
      }
    }
    try AtomicFile.writeText(to: folder.file("intervals.csv")) { text in
      text.append("quantity,unit,interval,count,by_chance\n")
      for own in intervals {
        let expected = own.intervals.expected
        for (interval, count) in own.intervals.counts.enumerated().dropFirst()
        where count > 0 || expected[interval] >= 1e-3 {
          text.append("\(own.quantity),\(own.unit),\(interval),\(count),\(expected[interval])\n")
        }
      }
    }
    let pictures = try RasterPictures(self).draw(into: path)
    return ["written to \(path): summary.json, rates.csv, intervals.csv"] + pictures
  }
}
