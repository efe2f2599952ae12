import HatchlingPictures

extension [Picture] {
  /// Draws all of them; returns what to tell the user.
  /// - Throws: `CheckpointError.unwritable`.
  func draw(into folder: String) throws -> [String] {
    var drawn: [String] = []
    for picture in self {
      switch try picture.draw(into: folder) {
      case .drawn: drawn.append("\(picture.name).svg, \(picture.name).png")
      case .gnuplotMissing:
        return [
          "no pictures: gnuplot is not installed; install gnuplot-nox and run gnuplot NAME.gp in \(folder)"
        ]
      case .failed(let reason): return ["no pictures: gnuplot failed on \(picture.name).gp: \(reason)"]
      }
    }
    return drawn.isEmpty ? [] : ["pictures in \(folder): " + drawn.joined(separator: ", ")]
  }
}
