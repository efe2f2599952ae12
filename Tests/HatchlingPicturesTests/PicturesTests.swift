import Foundation
import Testing

@testable import HatchlingPictures

@Suite struct PicturesTests {
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "pictures-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private var parabola: Picture {
    var picture = Picture("parabola")
    picture.tables = [.init(columns: ["x", "y"], rows: (0..<20).map { [Double($0), Double($0 * $0)] })]
    picture.commands = [
      "set title 'a parabola'", "set xlabel 'x (units)'",
      "plot \(picture.reference()) using 1:2 with lines title 'squares'",
    ]
    return picture
  }

  @Test(.enabled(if: Gnuplot.find() != nil, "gnuplot is not installed")) func drawsBothFormats() throws {
    try withFolder { folder in
      #expect(try parabola.draw(into: folder) == .drawn)
      let svg = try String(contentsOfFile: "\(folder)/parabola.svg", encoding: .utf8)
      #expect(svg.contains("a parabola") && svg.contains("x (units)") && svg.contains("</svg>"))
      let png = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/parabola.png"))
      #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png.count > 1000)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["parabola.dat", "parabola.gp", "parabola.png", "parabola.svg"])
    }
  }

  /// The script beside the picture draws it again.
  @Test(.enabled(if: Gnuplot.find() != nil, "gnuplot is not installed")) func theScriptStandsAlone() throws {
    try withFolder { folder in
      _ = try parabola.draw(into: folder)
      let before = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/parabola.svg"))
      try FileManager.default.removeItem(atPath: "\(folder)/parabola.svg")
      let run = try #require(Gnuplot.find()).run("load 'parabola.gp'", in: folder)
      #expect(run.succeeded)
      #expect(try Data(contentsOf: URL(fileURLWithPath: "\(folder)/parabola.svg")) == before)
    }
  }

  @Test func quotedTextIsOneLineWithNothingSpecial() {
    #expect(Picture.quoted("plain \\ \"text\" `x` @y") == "'plain \\ \"text\" `x` @y'")
    #expect(Picture.quoted("it's \\ \"x\" `y` @z") == "\"it's \\134 \\042x\\042 \\140y\\140 \\100z\"")
    #expect(Picture.quoted("a\nb\r\nc") == "'a b c'" && Picture.quoted("") == "''")
    #expect(Picture("two\nlines").fileName(of: "t") == "two lines-t.dat")
    #expect(Picture("<run").reference() == "'./<run.dat'")
  }

  /// A name from outside is a name, whatever is in it: it draws, it shows, and nothing of it is run.
  @Test(
    .enabled(if: Gnuplot.find() != nil, "gnuplot is not installed"),
    arguments: [
      "it's", "'a' 'b''c", "'; system 'touch run'; '", "<touch run", "|touch run", "a`touch run`'b\\",
      "x' @y \"z\"", "two\nplot 1\nlines", "%d # {0}", "~", "-",
    ])
  func namesFromOutsideAreNames(name: String) throws {
    try withFolder { folder in
      var picture = Picture(name)
      picture.tables = [.init("t", columns: ["x", "y"], rows: [[1, 2], [2, 3]])]
      let title = "title of " + name
      picture.commands = [
        "set title \(Picture.quoted(title))",
        "plot \(picture.reference(to: "t")) using 1:2 with lines title \(Picture.quoted(name))",
      ]
      #expect(try picture.draw(into: folder) == .drawn)
      let script = Picture.quoted("./\(picture.name).gp")
      let again = try #require(Gnuplot.find()).run("load \(script)", in: folder)
      #expect(again.succeeded)
      let files = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(Set(files) == Set(["-t.dat", ".gp", ".png", ".svg"].map { picture.name + $0 }))
      let svg = try String(contentsOfFile: "\(folder)/\(picture.name).svg", encoding: .utf8)
      #expect(svg.contains("title of ") && svg.contains("</svg>"))
    }
  }

  @Test func withoutGnuplotDataAndScriptAreWritten() throws {
    try withFolder { folder in
      #expect(try parabola.draw(into: folder, with: nil) == .gnuplotMissing)
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(names == ["parabola.dat", "parabola.gp"])
      let data = try String(contentsOfFile: "\(folder)/parabola.dat", encoding: .utf8)
      #expect(data.hasPrefix("# x y\n0.0 0.0\n1.0 1.0\n2.0 4.0\n"))
    }
  }

  @Test(.enabled(if: Gnuplot.find() != nil, "gnuplot is not installed")) func badCommandsSayWhy() throws {
    try withFolder { folder in
      var picture = parabola
      picture.commands = ["plot 'nothing.dat' using 1:2 with nonsense"]
      guard case .failed(let reason) = try picture.draw(into: folder) else {
        Issue.record("gnuplot accepted nonsense")
        return
      }
      #expect(!reason.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/parabola.svg"))
    }
  }
}
