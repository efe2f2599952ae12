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
      "plot '\(picture.fileName())' using 1:2 with lines title 'squares'",
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
