import CKernels

/// How weights are stored in fewer bits than float32.
public enum ReducedFormat: String, CaseIterable, Sendable {
  /// The upper half of a float32: 8 bits of significand, rounded to nearest even.
  case bfloat16 = "bf16"
  /// Integers −127 … 127 and one float32 scale per row, its largest magnitude / 127.
  case int8
}

/// A dense row-major matrix of weights kept in 16 or 8 bits, and computed from as it is; sums are float32.
public struct ReducedRows: Sendable {
  private enum Storage: Sendable {
    case halves(Matrix<UInt16>)
    case codes(Matrix<Int8>, scales: Matrix<Float>)
  }

  public let format: ReducedFormat
  public let rows, columns: Int
  private let storage: Storage

  /// Rounds finite weights. Cost: one pass.
  public init(_ matrix: Matrix<Float>, _ format: ReducedFormat) {
    self.format = format
    (rows, columns) = (matrix.rows, matrix.columns)
    switch format {
    case .bfloat16:
      storage = .halves(
        matrix.map { weight in
          // Magnitudes that would round to infinity stay finite.
          weight.bfloat16 & 0x7FFF == 0x7F80 ? weight.bfloat16 - 1 : weight.bfloat16
        })
    case .int8: storage = Self.coded(matrix)
    }
  }

  private static func coded(_ matrix: Matrix<Float>) -> Storage {
    var codes = Matrix<Int8>(rows: matrix.rows, columns: matrix.columns)
    var scales = Matrix<Float>(rows: 1, columns: matrix.rows)
    let (target, scale) = (codes.mutablePointer(), scales.mutablePointer())
    for row in 0..<matrix.rows {
      let weights = matrix.row(row)
      var largest: Float = 0
      for column in 0..<matrix.columns { largest = max(largest, weights[column].magnitude) }
      scale[row] = largest / 127
      // Rounded up, the largest code of the largest weights would overflow.
      if !(scale[row] * 127).isFinite { scale[row] = scale[row].nextDown }
      guard scale[row] > 0 else { continue }
      for column in 0..<matrix.columns {
        let code = (weights[column] / scale[row]).rounded(.toNearestOrEven)
        target[row * matrix.columns + column] = Int8(max(-127, min(127, code)))
      }
    }
    return .codes(codes, scales: scales)
  }

  /// The weight that is computed with.
  public subscript(row: Int, column: Int) -> Float {
    switch storage {
    case .halves(let matrix): Float(bfloat16: matrix[row, column])
    case .codes(let codes, let scales): Float(codes[row, column]) * scales[0, row]
    }
  }

  /// The weights that are computed with, in float32. Cost: a copy.
  public var dense: Matrix<Float> {
    switch storage {
    case .halves(let matrix): return matrix.map(Float.init(bfloat16:))
    case .codes(let codes, let scales):
      var result = Matrix<Float>(rows: rows, columns: columns)
      let target = result.mutablePointer()
      for row in 0..<rows {
        for column in 0..<columns {
          target[row * columns + column] = Float(codes.row(row)[column]) * scales.pointer[row]
        }
      }
      return result
    }
  }

  /// Bytes that the weights take.
  public var bytes: Int {
    switch storage {
    case .halves: 2 * rows * columns
    case .codes: rows * columns + 4 * rows
    }
  }

  /// out_k = Σ_c w_kc v_c for a range of rows.
  package func dot(_ range: Range<Int>, _ v: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
    dot(range.lowerBound, nil, range.count, v, out)
  }

  /// out_k = Σ_c w_list(k),c v_c.
  package func dot(
    _ list: UnsafePointer<Int32>, count: Int, _ v: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>
  ) { dot(0, list, count, v, out) }

  private func dot(
    _ first: Int, _ list: UnsafePointer<Int32>?, _ count: Int, _ v: UnsafePointer<Float>,
    _ out: UnsafeMutablePointer<Float>
  ) {
    assert(isInside(first, list, count))
    switch storage {
    case .halves(let matrix): hatchling_dot_bf16(matrix.pointer, nil, first, list, count, v, columns, out)
    case .codes(let codes, let scales):
      hatchling_dot_int8(codes.pointer, scales.pointer, first, list, count, v, columns, out)
    }
  }

  private func isInside(_ first: Int, _ list: UnsafePointer<Int32>?, _ count: Int) -> Bool {
    guard let list else { return first >= 0 && count >= 0 && first + count <= rows }
    return count >= 0 && (0..<count).allSatisfy { (0..<Int32(rows)).contains(list[$0]) }
  }

  /// sum_c += Σ_k values_k w_list(k),c.
  package func add(
    _ list: UnsafePointer<Int32>, _ values: UnsafePointer<Float>, count: Int,
    into sum: UnsafeMutablePointer<Float>
  ) {
    assert(isInside(0, list, count))
    switch storage {
    case .halves(let matrix): hatchling_add_bf16(matrix.pointer, nil, list, values, count, columns, sum)
    case .codes(let codes, let scales):
      hatchling_add_int8(codes.pointer, scales.pointer, list, values, count, columns, sum)
    }
  }
}

extension Float {
  /// The upper half, rounded to nearest, ties to even.
  package var bfloat16: UInt16 {
    UInt16(truncatingIfNeeded: (bitPattern &+ 0x7FFF &+ (bitPattern >> 16 & 1)) >> 16)
  }

  @inlinable
  package init(bfloat16 half: UInt16) { self.init(bitPattern: UInt32(half) << 16) }
}
