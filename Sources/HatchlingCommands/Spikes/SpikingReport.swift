import HatchlingDynamics
import HatchlingExecution
import HatchlingGraph
import HatchlingModel

/// What spikes did over a text.
public struct SpikingReport: Encodable, Sendable {
  public let counts: SpikeCounts
  private let sizes: Hyperparameters

  /// Nil for an engine that sends numbers.
  public init?(of engine: any SteppingEngine) {
    guard let engine = engine as? any SpikeCounting else { return nil }
    (counts, sizes) = (engine.spikeCounts, engine.hyperparameters)
  }

  private func perToken(_ count: Int) -> Double { Double(count) / Double(max(1, counts.tokens)) }

  /// Multiply-adds of a dense pass over one token: D_x, D_y and E, reading and writing ρ, and the readout.
  private var dense: Int {
    5 * sizes.neurons * sizes.synapticDimension * sizes.layers + sizes.synapticDimension * sizes.vocabulary
  }

  private var quantities: [Quantity] { Quantity.allCases.filter { counts.spikes[$0] != nil } }
  private var paths: [SpikeCounts.Path] {
    Connection.allCases.map { .fixed($0) }.filter { counts.events(over: $0) > 0 } + [.read, .hebb]
  }

  public func encode(to encoder: any Encoder) throws {
    let object: JSONObject = [
      "spikes_per_token": perToken(counts.totalSpikes),
      "synaptic_events_per_token": perToken(counts.deliveries),
      "hebbian_events_per_token": perToken(counts.hebbianEvents), "dense_multiply_adds_per_token": dense,
      "quantities": quantities.map {
        [
          "name": SpikingOptions.name(of: $0), "spikes_per_token": perToken(counts.spikes[$0] ?? 0),
          "saturated": counts.saturated[$0] ?? 0,
        ] as JSONObject
      },
      "events": counts.events.sorted { ($0.key.layer, $0.key.path.name) < ($1.key.layer, $1.key.path.name) }
        .map {
          ["over": $0.key.path.name, "layer": $0.key.layer, "per_token": perToken($0.value)] as JSONObject
        },
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    let (events, hebb) = (perToken(counts.deliveries), perToken(counts.hebbianEvents))
    let share = decimal((events + hebb) / Double(dense) * 100, 0)
    var lines = [
      "spikes             \(grouped(Int(perToken(counts.totalSpikes)))) per token: "
        + quantities.map {
          "\(SpikingOptions.name(of: $0)) \(grouped(Int(perToken(counts.spikes[$0] ?? 0))))"
        }.joined(separator: ", "),
      "synaptic events    \(grouped(Int(events))) and \(grouped(Int(hebb))) of Hebb per token, \(share) % of a dense pass's \(grouped(dense)) multiply-adds",
      "                   "
        + paths.map { "\($0.name) \(grouped(Int(perToken(counts.events(over: $0)))))" }.joined(
          separator: ", "),
    ]
    let saturated = quantities.filter { counts.saturated[$0, default: 0] > 0 }
    lines.append(
      "beyond the scale   "
        + (saturated.isEmpty
          ? "no value"
          : saturated.map { "\(SpikingOptions.name(of: $0)) \(grouped(counts.saturated[$0] ?? 0)) values" }
            .joined(separator: ", ")))
    return lines
  }

  /// What is said in spikes and what stays analog when a schedule runs on spikes.
  public static func description(of schedule: Schedule) -> [String] {
    let spoken = schedule.spokenQuantities
    return [
      "in spikes     "
        + spoken.map { quantity in
          let name = SpikingOptions.name(of: quantity)
          let symbol = name == quantity.rawValue ? "" : "\(quantity.rawValue), "
          return "\(name) (\(symbol)\(quantity.population.rawValue))"
        }.joined(separator: ", "),
      "by spikes     every synapse of \(schedule.form == .circuit ? "emb, G_x, G_y, E, W_out" : "G_x, G_y, F, W_out"), and σ, read and written",
      "analog        membranes: sums of what has arrived, and the residual stream \(schedule.form == .circuit ? "v" : "z and F z") (said in spikes, kept as it is unless it is asked for otherwise)",
      "analog        means and gains of normalisers, broadcast as numbers, of fewer bits if it is asked for",
      "analog        the rotation of x over a partner edge, and the gate: drive of y times the weight of every spike of x",
      "analog        damping of σ, and scales, which calibration fixes",
    ]
  }
}
