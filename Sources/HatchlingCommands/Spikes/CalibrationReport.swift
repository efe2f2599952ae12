import HatchlingDynamics
import HatchlingExecution
import HatchlingModel
import HatchlingNumerics

/// How large quantities became on a text.
public struct CalibrationReport: Encodable {
  public let scales: SpikeScales

  /// - Throws: `SpikeScalesError`, what compiling throws. Cost: an exact run over the text, in double.
  public init(
    _ description: EngineDescription, _ network: Network, on tokens: [Int], workers: Workers,
    afterToken: (Int) -> Void = { _ in }
  ) throws {
    let network: RunnableNetwork<Double> = try description.network(of: network, workers: workers)
    scales = try network.spikeScales(on: tokens, workers: workers, afterToken: afterToken)
  }

  /// Of a quantity the layers that say it.
  private func layers(_ quantity: Quantity) -> [Double] {
    let all = scales.largestByLayer(quantity)
    return all.last == 0 ? all.dropLast() : all
  }

  public func encode(to encoder: any Encoder) throws {
    let object: JSONObject = [
      "tokens": scales.tokens,
      "largest": scales.quantities.map {
        ["name": SpikingOptions.name(of: $0), "by_layer": layers($0)] as JSONObject
      },
    ]
    try object.encode(to: encoder)
  }

  /// The report as a person reads it.
  public var lines: [String] {
    ["largest values in \(grouped(scales.tokens)) tokens, layer by layer (of v and z also for the readout)"]
      + scales.quantities.map { quantity in
        padded(SpikingOptions.name(of: quantity), 8, right: false)
          + layers(quantity).map { padded(decimal($0, 3), 10) }.joined()
      }
  }
}
