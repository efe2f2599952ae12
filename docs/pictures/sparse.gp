# gnuplot sparse.gp draws sparse.svg; the numbers are those of docs/sparse.md and docs/fidelity.md.
set terminal svg size 900,560 font 'sans-serif,15' background '#ffffff'
set output 'sparse.svg'
set datafile separator ','
set logscale x
set format x '10^{%T}'
set xrange [7e3:1.4e6]
set yrange [1.4:3.6]
set xlabel 'synapses between neurons, in G_x and in G_y'
set ylabel 'held out, nats per byte'
set key top right
set grid ytics linecolor '#dddddd'
set label 'uncut, 4.2 · 10^6: 1.496' at 7.5e3,1.45 left
row(way) = sprintf('< grep "^%s," sparse.csv', way)
plot row('cut') using 2:3 with linespoints dashtype 2 linewidth 2 linecolor '#888888' pointtype 6 title 'cut, σ on all pairs', \
  row('cut kept') using 2:3 with linespoints dashtype 2 linewidth 2 linecolor '#c9a08a' pointtype 6 title 'cut, σ on the synapses of G_x', \
  row('fixed') using 2:3 with linespoints linewidth 2 linecolor '#0072b2' pointtype 7 title '400 updates, σ on all pairs', \
  row('gradient') using 2:3 with points pointsize 1.2 linecolor '#009e73' pointtype 9 title '… rewired by gradient', \
  row('local') using 2:3 with points pointsize 1.6 linecolor '#cc79a7' pointtype 4 title '… without hubs', \
  row('kept') using 2:3 with points pointsize 1.2 linecolor '#d55e00' pointtype 5 title '400 updates, σ on the synapses of G_x', \
  1.496 with lines linewidth 1 linecolor '#000000' notitle
