import HatchlingNumerics

/// Writes rows of numbers as one NumPy array `(rows, columns)`, row by row; the number of rows is filled in at the end.
public final class NumpyWriter<Scalar: NetworkScalar> {
  private let file: AtomicFile
  private let columns: Int
  private var rows = 0

  /// - Throws: ``CheckpointError/unwritable(path:reason:)``.
  public init(path: String, columns: Int) throws(CheckpointError) {
    self.columns = columns
    file = try AtomicFile(path: path)
    try file.write(header)
  }

  /// Appends one row. - Throws: ``CheckpointError/unwritable(path:reason:)``.
  public func append(_ row: [Scalar]) throws {
    precondition(row.count == columns, "a row of \(row.count) numbers in an array of \(columns) columns")
    try row.withUnsafeBytes { try file.write($0) }
    rows += 1
  }

  /// The array gets its name. - Throws: ``CheckpointError/unwritable(path:reason:)``.
  public func commit() throws(CheckpointError) {
    try file.rewriteStart(header)
    try file.commit()
  }

  private var header: [UInt8] {
    NumpyHeader.written(Scalar.self == Double.self ? "'<f8'" : "'<f4'", shape: [rows, columns], length: 128)
  }
}
