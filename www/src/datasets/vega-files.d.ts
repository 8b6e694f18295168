/** The addresses of data files, which the bundler makes of imports that end with `?url`. */
declare module 'vega-datasets-files/*?url' {
  const url: string;
  export default url;
}
