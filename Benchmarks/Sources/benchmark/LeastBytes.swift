import HatchlingExecution
import HatchlingGraph
import HatchlingModel
import HatchlingNumerics

/// What an exact step must move, from the activity that a text causes. Means per token, all layers together, in rows of d numbers.
struct LeastBytes: Codable {
  let sizes: Hyperparameters
  /// Neurons with x > 0, with y > 0, and neurons of pairs with a member x > 0, whose plastic rows are read and written.
  let activeX: Double
  let activeY: Double
  let plasticRows: Double
  /// Plastic rows that `window` consecutive tokens touch at least once, divided by `window`.
  let plasticRowsDeferred: Double
  let window: Int

  /// - Parameter window: over how many tokens writes may be put off.
  init(_ graph: CircuitGraph<Float>, tokens: [Int], window: Int = 16) throws {
    sizes = graph.hyperparameters
    self.window = window
    let engine = try CircuitEngine(graph, workers: Workers(threads: 1))
    var (x, y, rows, deferred) = (0, 0, 0, 0)
    var touched = [[Bool]](
      repeating: [Bool](repeating: false, count: sizes.neurons), count: sizes.layers)
    for (index, token) in tokens.enumerated() {
      let (activity, layers) = try engine.stepRecording(token)
      x += activity.activeX.reduce(0, +)
      y += activity.activeY.reduce(0, +)
      for (layer, quantities) in layers.enumerated() {
        for neuron in 0..<sizes.neurons {
          let partner = Int(graph.neurons.partners[neuron])
          guard quantities.x[neuron] > 0 || (partner >= 0 && quantities.x[partner] > 0) else { continue }
          rows += 1
          if !touched[layer][neuron] {
            touched[layer][neuron] = true
            deferred += 1
          }
        }
      }
      if (index + 1) % window == 0 {
        touched = touched.map { [Bool](repeating: false, count: $0.count) }
      }
    }
    let count = Double(tokens.count)
    (activeX, activeY) = (Double(x) / count, Double(y) / count)
    (plasticRows, plasticRowsDeferred) = (Double(rows) / count, Double(deferred) / count)
  }

  private var rowBytes: Double { Double(4 * sizes.synapticDimension) }
  private var readoutBytes: Double { Double(4 * (sizes.vocabulary + 1) * sizes.synapticDimension) }
  private var allRows: Double { Double(sizes.layers * sizes.neurons) }

  /// The least-byte exact algorithm that keeps its state up to date after every token: D_x whole; rows of D_y for active x and of E
  /// for active y; plastic rows of active pairs, read and written; the readout and one embedding.
  var exact: Traffic {
    Traffic(
      read: (allRows + activeX + activeY + plasticRows) * rowBytes + readoutBytes,
      written: plasticRows * rowBytes)
  }

  /// The same with certified screening of D_x and D_y (an 8-bit copy, 16 bytes of bounds per row, and the rows of the neurons that do
  /// fire in full) and with plastic rows written once per window.
  var screenedAndDeferred: Traffic {
    let screenBytes = Double(sizes.synapticDimension + 16)
    return Traffic(
      read: (allRows + activeX) * screenBytes + (activeX + 2 * activeY + plasticRows) * rowBytes
        + readoutBytes,
      written: plasticRowsDeferred * rowBytes)
  }
}
