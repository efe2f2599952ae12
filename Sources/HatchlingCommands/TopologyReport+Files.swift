#if Topology
  import HatchlingCheckpoint
  import HatchlingExport
  import HatchlingGraph
  import HatchlingNumerics

  extension TopologyReport {
    /// Writes `summary.json`, `nodes.csv`, `edges.csv`, `in_degree.csv`, `out_degree.csv` and pictures; the folder is made if it is not
    /// there.
    ///
    /// - Returns: what is to be said of the pictures.
    /// - Throws: `CheckpointError`.
    public func write(into path: String) throws -> [String] {
      let folder = try ReportFolder(path)
      try folder.write(graph.inDegrees, "in_degree.csv")
      try folder.write(graph.outDegrees, "out_degree.csv")
      try folder.write(summary: summary)
      try writeNodes(folder)
      try writeEdges(folder)
      return try TopologyPictures(self).draw(into: path)
    }

    /// The graph with its communities, for other tools. `frequencies` are the network's.
    ///
    /// - Returns: the files.
    /// - Throws: `CheckpointError`, or for a format that nobody knows.
    public func export(to path: String, frequencies: [Float], laidOut always: Bool) throws -> [String] {
      let format = try GraphFormat(path: path)
      let exported = ExportedGraph(graph, kind: summary.graph, frequencies: frequencies)
        .annotated(communities: partition?.communities ?? [])
      return try format.write(
        HatchlingCommands.laidOut(exported, format, always: always, seed: summary.seed), to: path)
    }

    private func writeNodes(_ folder: ReportFolder) throws {
      let (into, out) = (graph.inDegrees, graph.outDegrees)
      let (strengthIn, strengthOut) = (graph.inStrengths, graph.outStrengths)
      try AtomicFile.writeText(to: folder.file("nodes.csv")) { text in
        text.append("node,head,in_degree,out_degree,in_strength,out_strength,community,coreness\n")
        for node in 0..<graph.nodeCount {
          let community = partition.map { String($0.communities[node]) } ?? ""
          text.append(
            "n\(graph.firstNeuron + node),\(graph.head(of: node)),\(into[node]),\(out[node]),\(strengthIn[node]),\(strengthOut[node]),\(community),\(structure.coreness[node])\n"
          )
          try text.flushIfLarge()
        }
      }
    }

    /// The strongest first.
    private func writeEdges(_ folder: ReportFolder) throws {
      let (start, middle) = ([UInt8]("n".utf8), [UInt8](",n".utf8))
      try AtomicFile.writeText(to: folder.file("edges.csv")) { text in
        text.append("source,target,weight\n")
        for edge in 0..<graph.edgeCount {
          text.append(start)
          text.append(graph.firstNeuron + Int(graph.sources[edge]))
          text.append(middle)
          text.append(graph.firstNeuron + Int(graph.targets[edge]))
          text.append(byte: 44)
          text.append(Double(graph.weights[edge]))
          text.append(byte: 10)
          try text.flushIfLarge()
        }
      }
    }
  }
#endif
