import Foundation
import HatchlingNumerics

/// All tasks that were asked for, one after another. Results are saved as they come: a failure loses what was not reached.
struct Suite {
  let settings: Settings
  let tasks: Set<String>

  func run(_ results: inout Results) throws {
    if tasks.contains("bandwidth") || tasks.contains("step") {
      for threads in [1, 2] { results.add(Bandwidth.measure(threads: threads)) }
    }
    for (size, path) in settings.models {
      guard FileManager.default.fileExists(atPath: path) else {
        results.note(
          "\(size): '\(path)' is not there; scripts/benchmark makes it (needs Python with NumPy and safetensors)"
        )
        continue
      }
      try engines(size, path, &results)
      // 10⁶ strongest of the large network's 2 · 10⁹ entries take minutes to select: it is left out.
      if tasks.contains("direct"), size != "large" {
        let direct = DirectContest(size: size, path: path, settings: settings)
        for contest in try direct.contests(note: { results.note($0) }) { try hold(contest, &results) }
      }
    }
    if tasks.contains("training"), let path = settings.models.first?.path {
      for (block, batch, fresh) in [(256, 8, true), (256, 8, false), (1024, 2, true), (1024, 2, false)] {
        let training = TrainingContest(
          settings: settings, path: path, block: block, batch: batch, fresh: fresh)
        try hold(try training.contest { results.note($0) }, &results)
      }
    }
    if tasks.contains("curves") { try Curves(settings: settings).run { results.note($0) } }
  }

  private func engines(_ size: String, _ path: String, _ results: inout Results) throws {
    guard !tasks.isDisjoint(with: ["step", "streams", "prefill", "generate", "start"]) else { return }
    let workload = try Workload(size: size, path: path, settings: settings)
    if tasks.contains("step") {
      try hold(try workload.step(bandwidths: results.bandwidths) { results.note($0) }, &results)
    }
    if tasks.contains("streams") { try hold(try workload.streams(), &results) }
    if tasks.contains("prefill") { try hold(try workload.prefill { results.note($0) }, &results) }
    if tasks.contains("generate") { try hold(try workload.generate { results.note($0) }, &results) }
    if tasks.contains("start") {
      try hold(workload.compile(), &results)
      try hold(workload.firstToken { results.note($0) }, &results)
    }
  }

  private func hold(_ contest: Contest, _ results: inout Results) throws {
    var notes: [String] = []
    let outcomes = contest.hold(runs: settings.runs) { notes.append($0) }
    for text in notes { results.note(text) }
    results.add(outcomes)
    try results.keep(settings)
  }
}
