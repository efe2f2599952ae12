#if HDF5
  import HatchlingCompiler
  import HatchlingExecution
  import HatchlingExport
  import HatchlingModel
  import HatchlingNumerics

  extension HostileFiles {
    static func readSonata(_ input: [UInt8]) throws {
      let scratch = try ScratchFile(damaged(input))
      let graph = try SonataNetwork.circuit(path: scratch.path)
      let engine = try CircuitEngine(graph, workers: one)
      for token in 0..<min(3, graph.tokenCount) { try engine.step(token) }
      try mustHold(engine.logits.count == graph.tokenCount, "a logit for every token")
    }

    /// A file as it is; any other input says how a legal file is damaged. What libhdf5 does in its process no coverage shows, so that files which
    /// chance alone changed would soon be none that it opens.
    private static func damaged(_ input: [UInt8]) throws -> [UInt8] {
      if input.starts(with: [0x89, 0x48, 0x44, 0x46]) { return input }
      var choices = Choices(input)
      var (file, written) = choices.pick(try legalFiles.get())
      // Most of a small file is room for rows to come, where damage would show nothing.
      func place() -> Int { min(file.count - 8, written[Int.random(in: 0..<written.count, using: &choices)]) }
      for _ in 0...choices.below(6) {
        let (here, there) = (place(), place())
        switch choices.below(4) {
        case 0: file[here] = choices.byte()
        case 1: file[here] ^= 1 << UInt8(choices.below(8))
        // An address or a size that is another's, or none.
        case 2: file.replaceSubrange(here..<here + 8, with: file[there..<there + 8])
        default: file.replaceSubrange(here..<here + 8, with: [UInt8](repeating: 0xFF, count: 8))
        }
      }
      if choices.below(32) == 0 { file.removeLast(Int.random(in: 1..<file.count, using: &choices)) }
      return file
    }
    /// Legal files, and where each has a byte that is not 0.
    private nonisolated(unsafe) static let legalFiles = Result {
      try sonataFiles().map { file in (file: file, written: file.indices.filter { file[$0] != 0 }) }
    }

    static func sonataSeeds() throws -> [[UInt8]] {
      try sonataFiles() + (0..<32).map { [UInt8]("seed \($0)".utf8) }
    }

    private static func sonataFiles() throws -> [[UInt8]] {
      try [Variant.released, .definition4].map { variant in
        let graph = try Compiler().circuit(from: smallWeights(variant)).graph
        return try saved { _ = try GraphFormat.sonata.write(ExportedGraph(graph), to: $0) }
      }
    }
  }
#endif
