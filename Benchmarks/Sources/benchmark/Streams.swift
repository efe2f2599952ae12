import HatchlingExecution
import HatchlingNumerics

extension Workload {
  /// 1, 2, 4, 8 and 16 texts at once, a token of each or a passage at a time, against one after the other; from empty states.
  func streams() throws -> Contest {
    let (most, length, workers) = (16, size == "small" ? 192 : 64, Workers(threads: 2))
    let texts: [[Int]] = (0..<most).map { stream in
      let start = stream * length % (settings.text.count - length)
      return Array(settings.text[start..<start + length])
    }
    let alone = "8 streams, one after the other, 2 threads"
    var contest = Contest(
      task: "streams", size: size, unit: "token", reference: alone, passes: size == "small" ? 5 : 1)
    let streams = try CircuitStreams(graph, count: most, workers: workers)
    contest.contestants.append(
      Contestant(name: alone, threads: 2) {
        let engine = streams.streams[0]
        return try elapsed {
          for text in texts.prefix(8) {
            engine.reset()
            for token in text { try engine.step(token) }
          }
        } / Double(8 * length)
      })
    for count in [1, 2, 4, 8, 16] {
      contest.contestants.append(
        Contestant(name: "\(count) at once, 2 threads", threads: 2) {
          for stream in streams.streams { stream.reset() }
          return try elapsed {
            for begin in stride(from: 0, to: length, by: streams.passageLength) {
              let passages = (0..<most).map { stream in
                stream < count ? texts[stream][begin...].prefix(streams.passageLength) : []
              }
              let errors = streams.read(passages, before: { _, _ in }, after: { _, _, _ in })
              for case let error? in errors { throw error }
            }
          } / Double(count * length)
        })
    }
    return contest
  }
}
