import Foundation
import HatchlingActivity
import HatchlingCheckpoint
import HatchlingModel
import HatchlingPictures

/// A watched text as people look at it: tinted in a terminal, as a picture, as a table.
public struct WatchReport: Sendable {
  private let text: WatchedText
  private let glyphs: [String]
  /// The most tokens of a picture.
  public static var mostInPicture: Int { 2000 }

  public init(_ text: WatchedText) {
    self.text = text
    glyphs = Self.glyphs(of: text.tokens)
  }

  /// What stands for every token: itself where it can be printed, on the last byte of its character, else an escape. Nothing that a terminal
  /// would obey.
  static func glyphs(of tokens: [Int]) -> [String] {
    var glyphs = tokens.map { $0 == 32 ? " " : readable($0) }
    var start = 0
    while start < tokens.count {
      let length =
        switch tokens[start] {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
      let bytes = tokens[start..<min(tokens.count, start + length)].compactMap { UInt8(exactly: $0) }
      if length > 1, bytes.count == length, let character = String(validating: bytes, as: UTF8.self),
        character.escaped == character
      {
        for place in start..<start + length - 1 { glyphs[place] = "" }
        glyphs[start + length - 1] = character
        start += length
      } else {
        start += 1
      }
    }
    return glyphs
  }

  // MARK: Terminal

  /// Lines for a terminal, tinted or not, and who wrote most.
  public func lines(inColour: Bool) -> [String] {
    text.items.flatMap { item in
      [heading(item)] + (inColour ? tinted(item) : table(item)) + writers(of: item, 5) + [""]
    }
  }

  private func heading(_ item: WatchedText.Item) -> String {
    let (least, most) = (item.strength.min() ?? .nan, item.strength.max() ?? .nan)
    return "\(item.synapse == nil ? "neuron" : "synapse") \(item.name): \(short(least)) to \(short(most))"
  }

  private func short(_ value: Double) -> String { String(format: "%.4g", value == 0 ? 0 : value) }

  private func tinted(_ item: WatchedText.Item) -> [String] {
    let scale = item.strength.map(\.magnitude).max() ?? 0
    var (lines, line, width): ([String], String, Int) = ([], "", 0)
    func end() {
      lines.append(line + "\u{1B}[0m")
      (line, width) = ("", 0)
    }
    for (place, glyph) in glyphs.enumerated() {
      let (red, green, blue) = Self.tint(scale > 0 ? item.strength[place] / scale : 0)
      line += "\u{1B}[38;2;0;0;0;48;2;\(red);\(green);\(blue)m\(glyph)"
      width += glyph.count
      if text.tokens[place] == 10 || width >= 96 { end() }
    }
    if width > 0 { end() }
    return lines
  }

  /// White at 0, orange towards 1, blue towards −1: colours that the colour-blind tell apart.
  private static func tint(_ strength: Double) -> (Int, Int, Int) {
    let full = strength >= 0 ? (213, 94, 0) : (0, 114, 178)
    let share = strength.isFinite ? min(1, strength.magnitude) : 0
    func mix(_ part: Int) -> Int { Int((255 + share * Double(part - 255)).rounded()) }
    return (mix(full.0), mix(full.1), mix(full.2))
  }

  private func table(_ item: WatchedText.Item) -> [String] {
    let columns =
      item.synapse == nil
      ? ["strength", "change", "x", "y"] : ["strength", "written", "presynaptic", "postsynaptic"]
    return ["position  token" + columns.map { padded($0, 14) }.joined()]
      + text.tokens.indices.map { place in
        padded(String(place), 8) + "  " + padded(readable(text.tokens[place]), 5)
          + [item.strength, item.increment, item.presynaptic, item.postsynaptic].map {
            padded(short($0[place]), 14)
          }.joined()
      }
  }

  /// Fig. 13: the tokens that wrote most, with both sides of the write.
  private func writers(of item: WatchedText.Item, _ count: Int) -> [String] {
    guard item.synapse != nil else { return [] }
    return item.largestWrites(count).map { place in
      let before = glyphs[max(0, place - 20)..<place].joined()
      return
        "  token \(place) '\(glyphs[place])' after '\(before)' wrote \(short(item.increment[place])) = presynaptic \(short(item.presynaptic[place])) × postsynaptic \(short(item.postsynaptic[place]))"
    }
  }

  // MARK: Files

  /// Writes `.csv`, or draws `.svg` and `.png`, one picture per item. - Returns: what to tell the user.
  /// - Throws: `CheckpointError.unwritable`, `ActivityError.unknownPicture`.
  public func write(to path: String) throws -> [String] {
    if path.hasSuffix(".csv") {
      try AtomicFile.writeText(to: path) { try writeTable(into: &$0) }
      return ["written to \(path)"]
    }
    guard path.hasSuffix(".svg") || path.hasSuffix(".png") else {
      throw ActivityError.unknownPicture(path: path)
    }
    let folder = path.folderOfPath
    var said: [String] = []
    for (item, name) in zip(text.items, Self.pictureNames(path, items: text.items.count)) {
      let file = "\(folder)/\(name)"
      switch try picture(of: item, name).draw(into: folder) {
      case .drawn: said.append("drawn: \(file).svg and .png")
      case .gnuplotMissing: said.append("no picture: gnuplot is not installed; \(file).gp holds its commands")
      case .failed(let reason): said.append("no picture \(file): gnuplot says: \(reason)")
      }
    }
    if text.tokens.count > Self.mostInPicture {
      said.append("pictures show the first \(Self.mostInPicture) tokens")
    }
    return said
  }

  private static func pictureNames(_ path: String, items: Int) -> [String] {
    let base = String(path.nameInPath.dropLast(".svg".count))
    return items == 1 ? [base] : (1...max(1, items)).map { "\(base)-\($0)" }
  }

  /// All files that ``write(to:)`` makes for so many items.
  public static func files(for path: String, items: Int) -> [String] {
    guard !path.hasSuffix(".csv") else { return [path] }
    return pictureNames(path, items: items).flatMap { Picture.files(named: $0, in: path.folderOfPath) }
  }

  private func writeTable(into file: inout TextBuffer) throws {
    file.append("item,position,token,surprise,strength,increment,presynaptic,postsynaptic\n")
    for item in text.items {
      for place in text.tokens.indices {
        file.append(
          "\(item.name),\(place),\(text.tokens[place]),\(text.surprises[place].map { "\($0)" } ?? "")")
        for value in [item.strength, item.increment, item.presynaptic, item.postsynaptic] {
          file.append(byte: 44)
          file.append(value[place])
        }
        file.append("\n")
        try file.flushIfLarge()
      }
    }
  }

  /// The text in rows of 80, a square per token; dots are as large as what a token wrote.
  private func picture(of item: WatchedText.Item, _ name: String) -> Picture {
    var (places, row, column): ([(row: Int, column: Int)], Int, Int) = ([], 0, 0)
    for token in text.tokens.prefix(Self.mostInPicture) {
      places.append((row, column))
      column += 1
      if column == 80 || token == 10 { (row, column) = (row + 1, 0) }
    }
    var picture = Picture(name)
    picture.tables = [
      .init(
        columns: ["column", "row", "strength", "increment"],
        rows: places.indices.map {
          [Double(places[$0].column), -Double(places[$0].row), item.strength[$0], item.increment[$0]]
        })
    ]
    let scale = item.strength.prefix(places.count).map(\.magnitude).max() ?? 0
    let largest = item.increment.prefix(places.count).map(\.magnitude).max() ?? 0
    let size = max(5, min(11, 180 / (row + 4)))
    let labels = places.indices.filter { text.tokens[$0] != 32 && !glyphs[$0].isEmpty }.map {
      "set label \(Picture.quoted(glyphs[$0])) at \(places[$0].column),\(-places[$0].row) center font ',\(size)' front"
    }
    let limit = scale > 0 && scale.isFinite ? scale : 1
    let title = item.synapse == nil ? "Neuron" : "Synapse"
    picture.commands =
      labels + [
        "set title \(Picture.quoted("\(title) \(item.name), token by token; dots: what a token \(item.synapse == nil ? "changed" : "wrote")"))",
        "unset key", "unset xtics", "unset ytics", "unset border", "set xrange [-1:80]",
        "set yrange [\(-Double(row) - 1):1]", "set cbrange [\(-limit):\(limit)]",
        "set palette defined (-1 '#0072B2', 0 '#ffffff', 1 '#D55E00')",
        "plot \(picture.reference()) using 1:2:(0.5):(0.5):3 with boxxyerror fillcolor palette fillstyle solid noborder, \(picture.reference()) using 1:($2-0.42):(1.2*sqrt(abs($4)/\(largest > 0 && largest.isFinite ? largest : 1))) with points pointtype 7 pointsize variable linecolor rgb '#000000'",
      ]
    return picture
  }
}
