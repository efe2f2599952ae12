import HatchlingModel
import HatchlingNumerics

/// Activity of a network in time: against surprise, from write to write, in what it keeps, and in the memorising task where the text is that.
public struct ActivityReport: Sendable {
  let model: String
  let request: ActivityRequest
  let trace: ActivityTrace
  let surprise: SurpriseReport
  let intervals: [WriteIntervals]
  let sigma: [SigmaRow]
  let episodes: EpisodeReport?

  var sizes: Hyperparameters { trace.sizes }
}

extension StreamReader {
  /// Reads streams and looks at what the network did.
  ///
  /// - Parameters:
  ///   - network: what this reader runs.
  ///   - model: what it is called.
  /// - Throws: ``ActivityStudyError``, `ActivityError`, `TokenError`. Cost: reading; resamples × series; a power-law fit per quantity and layer.
  public func activityReport(
    _ request: ActivityRequest, of files: [TokenStream], network: Network, model: String, workers: Workers,
    progress: WorkProgress = { _, _, _ in }
  ) throws -> ActivityReport {
    try request.check()
    var request = request
    if let task = request.task { request.segment = task.period }
    let total = try request.streams(of: files).reduce(0) { $0 + $1.tokens.count }
    let trace = try activity(
      request, of: files, clocks: network.clocks, damping: network.damping,
      afterToken: { progress("token", $0, total) })
    let surprise = try SurpriseReport(trace, request)
    let episodes = try request.task.map { try EpisodeReport(trace, $0, request) }
    let intervals = WriteIntervals.all(of: trace, request, workers: workers, progress: progress)
    let first = trace.streams[0].tokens
    let sigma = try SigmaReport.rows(
      of: network, reading: Array(trace.tokens[first]), request, workers: workers, progress: progress)
    return ActivityReport(
      model: model, request: request, trace: trace, surprise: surprise, intervals: intervals, sigma: sigma,
      episodes: episodes)
  }
}
