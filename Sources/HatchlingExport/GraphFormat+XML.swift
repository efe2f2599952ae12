import HatchlingCheckpoint
import HatchlingGraph

extension GraphFormat {
  func writeGraphML(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <graphml xmlns="http://graphml.graphdrawing.org/xmlns">
        <key id="nk" for="node" attr.name="kind" attr.type="string"/>
        <key id="nh" for="node" attr.name="head" attr.type="long"/>
        <key id="nf" for="node" attr.name="frequency_bucket" attr.type="long"/>
        <key id="nc" for="node" attr.name="community" attr.type="long"/>
        <key id="ek" for="edge" attr.name="kind" attr.type="string"/>
        <key id="es" for="edge" attr.name="sign" attr.type="string"/>
        <key id="ew" for="edge" attr.name="weight" attr.type="double"/>
        <graph edgedefault="directed">

        """)
      try graph.forEachNode { node in
        text.append("<node id=\"\(node.name)\"><data key=\"nk\">\(node.kind)</data>")
        for (key, value) in [("nh", node.head), ("nf", node.frequencyBucket), ("nc", node.community)] {
          if let value { text.append("<data key=\"\(key)\">\(value)</data>") }
        }
        text.append("</node>\n")
        try text.flushIfLarge()
      }
      for kind in graph.kinds { try writeGraphMLEdges(kind, &text) }
      text.append("</graph>\n</graphml>\n")
    }
  }

  private func writeGraphMLEdges(
    _ kind: ExportedGraph.Kind, _ text: inout TextBuffer
  ) throws {
    let start = [UInt8]("<edge source=\"\(kind.sourceLetter)".utf8)
    let middle = [UInt8]("\" target=\"\(kind.targetLetter)".utf8)
    let attributes = SignedFragments {
      [UInt8]("\"><data key=\"ek\">\(kind.name)</data><data key=\"es\">\($0.rawValue)</data>".utf8)
    }
    let (weightStart, weightEnd) = ([UInt8]("<data key=\"ew\">".utf8), [UInt8]("</data>".utf8))
    let end = [UInt8]("</edge>\n".utf8)
    try kind.forEachEdge { edge in
      text.append(start)
      text.append(edge.source)
      text.append(middle)
      text.append(edge.target)
      text.append(attributes[edge.sign])
      if let weight = edge.weight {
        text.append(weightStart)
        text.append(weight)
        text.append(weightEnd)
      }
      text.append(end)
      try text.flushIfLarge()
    }
  }

  func writeGEXF(_ graph: ExportedGraph, _ path: String) throws -> String {
    try writeText(path) { text in
      text.append(
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <gexf xmlns="http://www.gexf.net/1.2draft" xmlns:viz="http://www.gexf.net/1.2draft/viz" version="1.2">
        <graph defaultedgetype="directed">
        <attributes class="node"><attribute id="0" title="kind" type="string"/><attribute id="1" title="head" type="integer"/><attribute id="2" title="frequency_bucket" type="integer"/><attribute id="3" title="community" type="integer"/></attributes>
        <attributes class="edge"><attribute id="0" title="kind" type="string"/><attribute id="1" title="sign" type="string"/></attributes>
        <nodes>

        """)
      try graph.forEachNode { node in
        text.append("<node id=\"\(node.name)\" label=\"\(node.name)\"><attvalues>")
        text.append("<attvalue for=\"0\" value=\"\(node.kind)\"/>")
        for (key, value) in [("1", node.head), ("2", node.frequencyBucket), ("3", node.community)] {
          if let value { text.append("<attvalue for=\"\(key)\" value=\"\(value)\"/>") }
        }
        text.append("</attvalues>")
        if let position = node.position {
          text.append("<viz:position x=\"\(position.x)\" y=\"\(position.y)\" z=\"0.0\"/>")
        }
        text.append("</node>\n")
        try text.flushIfLarge()
      }
      text.append("</nodes>\n<edges>\n")
      var number = 0
      for kind in graph.kinds { try writeGEXFEdges(kind, &number, &text) }
      text.append("</edges>\n</graph>\n</gexf>\n")
    }
  }

  private func writeGEXFEdges(
    _ kind: ExportedGraph.Kind, _ number: inout Int, _ text: inout TextBuffer
  ) throws {
    let (start, source) = ([UInt8]("<edge id=\"".utf8), [UInt8]("\" source=\"\(kind.sourceLetter)".utf8))
    let (target, weightStart) = (
      [UInt8]("\" target=\"\(kind.targetLetter)".utf8), [UInt8]("\" weight=\"".utf8)
    )
    let attributes = SignedFragments {
      [UInt8](
        "\"><attvalues><attvalue for=\"0\" value=\"\(kind.name)\"/><attvalue for=\"1\" value=\"\($0.rawValue)\"/></attvalues></edge>\n"
          .utf8)
    }
    try kind.forEachEdge { edge in
      text.append(start)
      text.append(number)
      text.append(source)
      text.append(edge.source)
      text.append(target)
      text.append(edge.target)
      if let weight = edge.weight {
        text.append(weightStart)
        text.append(weight)
      }
      text.append(attributes[edge.sign])
      number += 1
      try text.flushIfLarge()
    }
  }
}
