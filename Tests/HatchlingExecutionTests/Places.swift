import HatchlingDynamics
import HatchlingNumerics

/// Everywhere where one may look inside a layer, in order.
let places: [RoundPart] = [
  .communication(.drive), .end(.drive), .end(.read), .communication(.reweight), .end(.reweight),
  .communication(.gate), .end(.gate),
]

/// The rounds of these places, for all layers.
func everyPlace(layers: Int) -> [Int] {
  (1...layers).flatMap { layer in places.map { $0.kind.number(inLayer: layer) } }
}

/// Looks at all plastic weights at every place of every layer; `body` gets the number of the round.
func watchEveryPlace<Engine>(of run: Run<Engine>, _ body: @escaping (Int) -> Void) throws {
  for place in places {
    try run.attach(Probe(.plasticWeights(), after: place)) { sample in body(sample.round) }
  }
}
