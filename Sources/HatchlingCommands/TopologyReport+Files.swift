#if Topology
  import HatchlingCheckpoint
  import HatchlingExport
  import HatchlingGraph

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
      try folder.write(summary: self)
      try writeNodes(folder)
      // The strongest first.
      try folder.write(ExportedGraph(graph), header: "source,target,weight") { _ in [",", .weight] }
      return try TopologyPictures(self).draw(into: path)
    }

    /// The graph with its communities, for other tools. `frequencies` are the network's.
    ///
    /// - Returns: the files.
    /// - Throws: `CheckpointError`, or for a format that nobody knows.
    public func export(to path: String, frequencies: [Float], laidOut always: Bool) throws -> [String] {
      let format = try GraphFormat(path: path)
      let exported = ExportedGraph(graph, kind: request.graph.rawValue, frequencies: frequencies)
        .annotated(communities: partition?.communities ?? [])
      return try format.write(
        HatchlingCommands.laidOut(exported, format, always: always, seed: request.seed), to: path)
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
  }
#endif
