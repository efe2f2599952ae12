#if HDF5
  import HatchlingCompiler
  import HatchlingExecution
  import HatchlingExport
  import HatchlingModel

  extension HostileFiles {
    static func readSonata(_ content: [UInt8]) throws {
      let scratch = try ScratchFile(content)
      let graph = try SonataNetwork.circuit(path: scratch.path)
      let engine = try CircuitEngine(graph, workers: one)
      for token in 0..<min(3, graph.tokenCount) { try engine.step(token) }
      try mustHold(engine.logits.count == graph.tokenCount, "a logit for every token")
    }

    static func sonataSeeds() throws -> [[UInt8]] {
      try [Variant.released, .definition4].map { variant in
        let graph = try Compiler().circuit(from: smallWeights(variant)).graph
        return try saved { _ = try GraphFormat.sonata.write(ExportedGraph(graph), to: $0) }
      }
    }
  }
#endif
