import Foundation
import HatchlingNumerics

/// All tasks that were asked for, one after another; results are kept even when a later task fails.
struct Suite {
  let settings: Settings
  let tasks: Set<String>

  func run(_ results: inout Results) throws {
    if tasks.contains("bandwidth") || tasks.contains("step") {
      for threads in [1, 2] {
        let bandwidth = Bandwidth.measure(threads: threads)
        results.add(bandwidth)
      }
    }
    if tasks.contains("training"), let path = settings.models.first?.path {
      for (block, batch, fresh) in [(256, 8, true), (256, 8, false), (1024, 2, true), (1024, 2, false)] {
        let training = TrainingContest(
          settings: settings, path: path, block: block, batch: batch, fresh: fresh)
        hold(try training.contest { results.note($0) }, &results)
      }
    }
    if tasks.contains("curves") {
      var notes: [String] = []
      _ = try Curves(settings: settings).run { notes.append($0) }
      for text in notes { results.note(text) }
    }
    for (size, path) in settings.models {
      guard FileManager.default.fileExists(atPath: path) else {
        results.note(
          "\(size): '\(path)' is not there; scripts/benchmark makes it (needs Python with NumPy and safetensors)"
        )
        continue
      }
      guard !tasks.isDisjoint(with: ["step", "prefill", "generate", "start"]) else { continue }
      let workload = try Workload(size: size, path: path, settings: settings)
      if tasks.contains("step") {
        hold(try workload.step(bandwidths: results.bandwidths) { results.note($0) }, &results)
      }
      if tasks.contains("prefill") { hold(try workload.prefill { results.note($0) }, &results) }
      if tasks.contains("generate") { hold(try workload.generate { results.note($0) }, &results) }
      if tasks.contains("start") { hold(workload.start(), &results) }
    }
  }

  private func hold(_ contest: Contest, _ results: inout Results) {
    var notes: [String] = []
    let outcomes = contest.hold(runs: settings.runs) { notes.append($0) }
    for text in notes { results.note(text) }
    results.add(outcomes)
  }
}
