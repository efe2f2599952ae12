import HatchlingCheckpoint
import HatchlingEquivalence
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics
import HatchlingShards

/// Codes of spikes beside the exact network, over the same segments of a text.
public struct SpikingStudy<Scalar: NetworkScalar> {
  private let fidelity: Fidelity<Scalar>
  /// Where the graph says something else than the tensors: the graph itself, on numbers.
  private let changed: Fidelity<Scalar>?
  private let network: RunnableNetwork<Scalar>
  private let workers: Workers
  private let seed: UInt64
  private let progress: WorkProgress
  private let onRow: (SpikingRow, SpikingStudyReport) throws -> Void
  public private(set) var report: SpikingStudyReport

  /// Reads the text with the tensors, and with a graph that was pruned or changed: what its numbers say its spikes are to say.
  ///
  /// - Parameters: as of ``FidelityStudy``.
  ///   - description: the graph, on numbers.
  /// - Throws: `FidelityError` for a text that is too short, `StateMemoryError`, what compiling throws.
  public init(
    _ weights: Weights<Scalar>, on description: EngineDescription = EngineDescription(), tokens: [Int],
    segment: Int, limit: Int, seed: UInt64 = 1,
    ranks: Ranks? = nil, workers: Workers, progress: @escaping WorkProgress = { _, _, _ in },
    onRow: @escaping (SpikingRow, SpikingStudyReport) throws -> Void = { _, _ in }
  ) throws {
    fidelity = try Fidelity(
      weights, tokens: tokens, segment: segment, limit: limit, ranks: ranks, workers: workers,
      afterSegment: { progress("tensors: segment", $0, $1) })
    network = try ranks.together { try description.network(from: weights, workers: workers) }
    changed =
      description.isExact
      ? nil
      : try Fidelity(
        reference: network.engine(workers: workers), tokens: tokens, segment: segment, limit: limit,
        ranks: ranks, workers: workers, afterSegment: { progress("exact: segment", $0, $1) })
    (self.workers, self.seed) = (workers, seed)
    (self.progress, self.onRow) = (progress, onRow)
    report = SpikingStudyReport(
      segments: fidelity.starts.count, segment: segment, tensorLoss: fidelity.referenceLoss,
      graphLoss: changed?.referenceLoss)
  }

  /// Tokens that are read and scored.
  public var scored: Int { fidelity.scored }

  /// The exact network beside the tensors, or a code beside the exact network.
  public mutating func measure(_ setup: SpikingSetup? = nil, named name: String? = nil) throws {
    var (reference, runnable) = (fidelity, network)
    if let setup {
      if let changed { reference = changed }
      runnable = try network.onSpikes(setup)
    }
    return try measure(runnable, beside: reference, setup, named: name ?? setup?.options.name ?? "exact")
  }

  private mutating func measure(
    _ network: RunnableNetwork<Scalar>, beside fidelity: Fidelity<Scalar>, _ setup: SpikingSetup?,
    named name: String
  ) throws {
    let single = Workers(threads: 1)
    let (progress, total) = (progress, fidelity.ownCount)
    let onSegment: @Sendable (Int) -> Void = { progress("\(name): segment", $0, total) }
    let measure = try fidelity.measure(afterSegment: onSegment) { try network.engine(workers: single) }
    let changes = zip(measure.segmentLosses, fidelity.referenceLosses).map { $0 - $1 }
    let row = SpikingRow(
      code: name, substeps: setup?.options.code.substeps.count, measure: measure,
      lossChange: (
        changes.reduce(0, +) / Double(changes.count), measure.interval(of: changes, seed: seed)
      ),
      divergence: measure.interval(of: measure.segmentDivergences, seed: seed))
    report.rows.append(row)
    try onRow(row, report)
  }
}

/// What one code costs; losses and KL in nats per token.
public struct SpikingRow: Encodable, Sendable {
  public let code: String
  /// Of a phase, by the code that most quantities have; nil for numbers.
  public let substeps: Int?
  public let measure: FidelityMeasure
  /// Against the tensors, or the graph on numbers where it is not the same; with a 95 % interval over segments.
  public let lossChange: (mean: Double, interval: (lower: Double, upper: Double))
  /// Of the mean KL, 95 %.
  public let divergence: (lower: Double, upper: Double)

  /// The columns of the CSV file; nil where there is nothing, or nothing finite.
  private var columns: KeyValuePairs<String, (any Encodable)?> {
    [
      "code": code, "substeps": substeps, "loss": finite(measure.loss),
      "loss_change": finite(lossChange.mean), "loss_change_lower": finite(lossChange.interval.lower),
      "loss_change_upper": finite(lossChange.interval.upper), "mean_kl": finite(measure.meanKL),
      "mean_kl_lower": finite(divergence.lower), "mean_kl_upper": finite(divergence.upper),
      "top1_agreement": measure.top1Agreement, "spikes_per_token": measure.spikes,
      "events_per_token": measure.messages, "hebbian_events_per_token": measure.updates,
    ]
  }

  public func encode(to encoder: any Encoder) throws {
    try JSONObject(omittingNil: columns).encode(to: encoder)
  }

  var csvHeader: String { columns.map(\.key).joined(separator: ",") }
  var csv: String {
    columns.map { column in
      let text = column.value.map { "\($0)" } ?? ""
      return text.contains(",") ? "\"\(text)\"" : text
    }.joined(separator: ",")
  }

  /// The head of the table.
  public static let header =
    "code                           loss    change       KL      95 % interval      top-1   spikes / token   events + Hebb / token"

  /// The row of the table.
  public var line: String {
    let interval = "\(scientific(divergence.lower)) – \(scientific(divergence.upper))"
    return padded(code, 27, right: false) + padded(decimal(measure.loss), 8)
      + padded((lossChange.mean < 0 ? "" : "+") + scientific(lossChange.mean), 11)
      + padded(scientific(measure.meanKL), 10) + padded(interval, 21)
      + padded("\(decimal(measure.top1Agreement * 100, 1)) %", 9) + padded(grouped(Int(measure.spikes)), 12)
      + padded(grouped(Int(measure.messages)), 15) + " + "
      + padded(grouped(Int(measure.updates)), 9, right: false)
  }
}

/// All codes of one study.
public struct SpikingStudyReport: Sendable {
  public let segments: Int
  public let segment: Int
  /// Nats per token.
  public let tensorLoss: Double
  /// Of the graph on numbers, where it was pruned or changed: what codes are compared with.
  public let graphLoss: Double?
  public internal(set) var rows: [SpikingRow] = []

  /// What stands above the rows.
  public var opening: [String] {
    [
      "\(grouped(segments * segment)) tokens in \(segments) segments of \(segment); tensors: \(decimal(tensorLoss, 6)) nats",
      graphLoss.map {
        "the graph on numbers: \(decimal($0, 6)) nats, 'exact', beside the tensors; codes are compared with it"
      }, SpikingRow.header,
    ].compactMap(\.self)
  }

  /// Writes `spikes.csv` into a folder, made if it is not there; returns what to tell the user. - Throws: `CheckpointError`.
  public func write(into folder: String) throws -> String {
    try Folder.make(folder)
    try AtomicFile.writeText(to: "\(folder)/spikes.csv") { text in
      for line in (rows.first.map { [$0.csvHeader] } ?? []) + rows.map(\.csv) { text.append(line + "\n") }
    }
    return "written to \(folder): spikes.csv"
  }
}
